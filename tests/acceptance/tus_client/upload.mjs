// node upload.mjs ENDPOINT FILE STORAGE [die-at-half | in-parts]: sends a file with the stock client, going on from where one that died
// stopped; prints {"from": offset, "ingestion": id}.
import fs from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const tus = require("tus-js-client");

const [endpoint, path, storage, mode] = process.argv.slice(2);
const size = fs.statSync(path).size;
let from = null;

const upload = new tus.Upload(fs.createReadStream(path), {
  endpoint,
  uploadSize: mode === "in-parts" ? null : size,
  chunkSize: 4 * 1024 * 1024,
  retryDelays: [0, 100, 500],
  urlStorage: new tus.FileUrlStorage(storage),
  fingerprint: async () => path,
  parallelUploads: mode === "in-parts" ? 3 : 1,
  metadata: { filename: "js.csv" },
  onProgress(sent) {
    from ??= sent;
    if (mode === "die-at-half" && sent >= size / 2) process.kill(process.pid, "SIGKILL");
  },
  onError(error) {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess({ lastResponse }) {
    console.log(JSON.stringify({ from, ingestion: lastResponse.getHeader("Tripsmith-Ingestion") }));
  },
});
const [previous] = await upload.findPreviousUploads();
if (previous) upload.resumeFromPreviousUpload(previous);
upload.start();
