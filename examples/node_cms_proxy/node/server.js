// node server.js: serve the site until SIGTERM. CMS is the address of the CMS, DATA the folder of the volume.
import { join } from "node:path";

import { makeApp } from "./app.js";
import { Articles } from "./articles.js";

const { CMS, DATA = "/data", PORT = "3000" } = process.env;
if (!CMS) {
  console.error("Set the environment variable CMS, for example CMS=http://cms.shop.internal:8080.");
  process.exit(1);
}

const server = makeApp(new Articles(CMS, join(DATA, "articles.json"))).listen(Number(PORT), (error) => {
  if (error) throw error;
  console.log(`listening on port ${PORT}, articles from ${CMS}`);
});
server.keepAliveTimeout = 75_000; // longer than a load balancer's idle timeout of 60 s

process.on("SIGTERM", () => {
  console.log("stopping");
  server.close(() => process.exit(0)); // once every request under way is answered
  server.closeIdleConnections();
});
