"use strict";

const form = document.querySelector("form");
const told = document.querySelector("output");
const list = document.querySelector("ul");

/** What the API answers; throws with its own sentence where it has one. */
async function api(path, options) {
  const answer = await fetch(path, options);
  const body = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.error || `The site answered ${answer.status}.`);
  return body;
}

function tell(text, wrong = false) {
  told.textContent = text;
  told.className = wrong ? "error" : "";
}

/** Run what a click began, and say what went wrong. */
function attempt(work) {
  return (event) => {
    event.preventDefault();
    work().catch((error) => tell(error.message, true));
  };
}

function button(text, work) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", attempt(work));
  return made;
}

function item(photo) {
  const made = document.createElement("li");
  const image = document.createElement("img");
  image.src = photo.url;
  image.alt = `Photo of ${photo.at}`;
  const path = `/api/photos/${photo.name}`;
  made.append(
    image,
    button("What fits?", async () => tell((await api(`${path}/advice`)).advice)),
    button("Delete", async () => {
      await api(path, { method: "DELETE" });
      await show();
    }),
  );
  return made;
}

async function show() {
  const { photos } = await api("/api/photos");
  list.replaceChildren(...photos.map(item));
}

/** The photo goes right to the bucket; the API only says where, and signs that. */
async function send(photo) {
  const place = await api("/api/photos", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ type: photo.type }),
  });
  const filled = new FormData();
  for (const [name, value] of Object.entries(place.fields)) filled.append(name, value);
  filled.append("file", photo); // S3 reads nothing of what stands behind it
  const answer = await fetch(place.url, { method: "POST", body: filled });
  if (!answer.ok) throw new Error("The photo was not taken. It may have 8 MB at most.");
}

form.addEventListener("submit", attempt(async () => {
  tell("Sending …");
  await send(form.querySelector("input").files[0]);
  form.reset();
  tell("It is there.");
  await show();
}));

show().catch((error) => tell(error.message, true));
