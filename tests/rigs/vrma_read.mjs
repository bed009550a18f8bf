// Load a VRM animation with three-vrm and print, as JSON, what it would put onto a character.
//
//     node vrma_read.mjs NODE_MODULES FILE
//
// {hips: [x, y, z] at rest, rotations: {BONE: {times, values}}, translations: {BONE: {times, values}}}
//
// Rotations are normalised, x y z w, against a T-pose in which no bone is turned; what it warns of is on stderr.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, file] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(modules, path)));
const { GLTFLoader } = await load("three/examples/jsm/loaders/GLTFLoader.js");
const { VRMAnimationLoaderPlugin } = await load("@pixiv/three-vrm-animation/lib/three-vrm-animation.module.js");
globalThis.self = globalThis;

const loader = new GLTFLoader();
loader.register((parser) => new VRMAnimationLoaderPlugin(parser));
const bytes = await readFile(file);
const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
const [animation] = (await loader.parseAsync(data, "")).userData.vrmAnimations;

const plain = (tracks) =>
  Object.fromEntries([...tracks].map(([bone, { times, values }]) => [bone, { times: [...times], values: [...values] }]));
process.stdout.write(
  JSON.stringify({
    hips: animation.restHipsPosition.toArray(),
    rotations: plain(animation.humanoidTracks.rotation),
    translations: plain(animation.humanoidTracks.translation),
  }),
);
