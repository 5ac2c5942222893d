// The articles of the CMS, with the last list kept in a file: while the CMS is being replaced, which takes it away for
// some seconds since two must never run, the site goes on showing what it knew, even if it was itself started meanwhile.
import { randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";

const TIMEOUT = 3000;

export class Articles {
  constructor(cms, file) {
    this.url = `${cms.replace(/\/+$/, "")}/cms/articles.json`;
    this.file = file;
  }

  // `{articles, fresh}`: newest first, and whether the CMS itself has just said so.
  async list() {
    try {
      const answer = await fetch(this.url, { signal: AbortSignal.timeout(TIMEOUT) });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const { articles } = await answer.json();
      await this.#keep(articles);
      return { articles, fresh: true };
    } catch (error) {
      console.error(`${this.url}: ${error.cause?.message ?? error.message}`);
      return { articles: await this.#kept(), fresh: false };
    }
  }

  // Whole or not at all: several tasks may share the volume.
  async #keep(articles) {
    const text = JSON.stringify(articles);
    if (text === this.last) return;
    const temporary = `${this.file}.${randomUUID()}`;
    await writeFile(temporary, text);
    await rename(temporary, this.file);
    this.last = text;
  }

  async #kept() {
    try {
      return JSON.parse(this.last ?? (await readFile(this.file, "utf8")));
    } catch (error) {
      if (error.code !== "ENOENT") console.error(`${this.file}: ${error.message}`);
      return [];
    }
  }
}
