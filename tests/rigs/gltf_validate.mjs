// Print, as JSON, what Khronos' validator finds in a glTF file: {issues: {numErrors, ..., messages}, info}.
//
//     node gltf_validate.mjs NODE_MODULES FILE

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, file] = process.argv.slice(2);
const { default: validator } = await import(pathToFileURL(join(modules, "gltf-validator", "index.js")));
const report = await validator.validateBytes(new Uint8Array(await readFile(file)));
process.stdout.write(JSON.stringify({ issues: report.issues, info: report.info }));
