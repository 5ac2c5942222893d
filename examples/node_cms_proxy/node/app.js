// The public pages.
import { fileURLToPath } from "node:url";

import { Eta } from "eta";
import express from "express";

const pages = new Eta({ views: fileURLToPath(new URL("views", import.meta.url)), cache: true });

export function makeApp(articles) {
  const app = express();
  app.disable("x-powered-by");

  // This process alone: without the CMS the site still shows what it knew, so it must not be replaced for that.
  app.get("/healthz", (request, response) => response.type("text").send("ok\n"));

  app.use((request, response, next) => {
    response.on("finish", () => {
      const client = request.get("x-forwarded-for") ?? request.socket.remoteAddress;
      console.log(`${client} "${request.method} ${request.originalUrl}" ${response.statusCode}`);
    });
    next();
  });

  app.get("/", async (request, response) => response.send(pages.render("list", await articles.list())));

  app.get("/articles/:id", async (request, response) => {
    const { articles: all, fresh } = await articles.list();
    const article = all.find(({ id }) => id === request.params.id);
    if (!article) return response.status(404).send(pages.render("missing", { fresh }));
    return response.send(pages.render("article", { article, fresh }));
  });

  return app;
}
