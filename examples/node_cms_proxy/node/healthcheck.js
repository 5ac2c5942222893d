// Exit 0 if the site answers; the container's health check.
const { PORT = "3000" } = process.env;
try {
  const answer = await fetch(`http://127.0.0.1:${PORT}/healthz`, { signal: AbortSignal.timeout(4000) });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
} catch (error) {
  console.error(`/healthz: ${error.cause?.message ?? error.message}`);
  process.exit(1);
}
