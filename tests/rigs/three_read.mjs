// Load an FBX, GLB or VRM file with three.js and print, as JSON, where every bone is at given times.
//
//     node three_read.mjs NODE_MODULES FILE SECONDS [SECONDS ...]
//
// {clips: [{name, duration, tracks: {NAME.PROPERTY: {keys, first, last}}}],
//  bones: [NAME, ...], parents: [NAME or null, ...], positions: [[[x, y, z] of each bone] of each time]}
//
// Positions are in the world of the scene as three.js loads it, in the file's unit; times and durations are
// seconds. Bones are what the file's skins or limbs make into bones or, where there are none, all named nodes.
// All clips of the file play together.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, file, ...seconds] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(modules, "three", path)));
const THREE = await load("build/three.module.js");

// Texts that loaders print would stand in the middle of the answer.
console.log = console.info = console.error;
// What the loaders ask of a browser for cameras and pictures; pictures themselves are left out.
globalThis.self = globalThis;
globalThis.window = { innerWidth: 1, innerHeight: 1 };

async function read() {
  const bytes = await readFile(file);
  const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  if (file.toLowerCase().endsWith(".fbx")) {
    const { FBXLoader } = await load("examples/jsm/loaders/FBXLoader.js");
    const scene = new FBXLoader().parse(data, "");
    return { scene, clips: scene.animations };
  }
  const { GLTFLoader } = await load("examples/jsm/loaders/GLTFLoader.js");
  const found = await new GLTFLoader().parseAsync(data, "");
  return { scene: found.scene, clips: found.animations };
}

function bonesOf(scene) {
  const named = [];
  scene.traverse((node) => node.name && named.push(node));
  const bones = named.filter((node) => node.isBone);
  return bones.length ? bones : named;
}

function tracksOf(clip) {
  return Object.fromEntries(
    clip.tracks.map(({ name, times }) => [name, { keys: times.length, first: times[0], last: times.at(-1) }]),
  );
}

const { scene, clips } = await read();
const bones = bonesOf(scene);
const mixer = new THREE.AnimationMixer(scene);
const actions = clips.map((clip) => mixer.clipAction(clip).play());
const place = new THREE.Vector3();
const positions = seconds.map(Number).map((time) => {
  for (const action of actions) action.time = Math.min(time, action.getClip().duration);
  mixer.update(0);
  scene.updateMatrixWorld(true);
  return bones.map((bone) => place.setFromMatrixPosition(bone.matrixWorld).toArray());
});

process.stdout.write(
  JSON.stringify({
    clips: clips.map((clip) => ({ name: clip.name, duration: clip.duration, tracks: tracksOf(clip) })),
    bones: bones.map((bone) => bone.name),
    parents: bones.map((bone) => bone.parent?.name ?? null),
    positions,
  }),
);
