"""Put a motion file onto rigs, from Python: recognise who moves, retarget, plant the feet, write.

python examples/01_onto_a_rig.py clip.bvh
"""

import sys
from pathlib import Path

from rigs.formats import read_clips, write_clips
from rigs.library import load_rig
from rigs.recognition.recognise import recognise_moving
from rigs.retargeting.perform import Performance, perform

source = Path(sys.argv[1])
clip = read_clips(source)[0]  # .bvh .fbx .glb .vrm .json .npz
performer, motion = recognise_moving(clip)  # which joint plays which part, by names, tree and rest pose
print(f"{source.name}: {len(motion)} frames, {len(performer.roles)} parts recognised")

for name in ("mixamo", "unreal"):
    how = Performance(root="root" if name == "unreal" else "hips")
    performed = perform(motion, performer, load_rig(name), how, name=name)
    for suffix in (".fbx", ".glb"):
        target = source.with_name(f"{source.stem}_{name}{suffix}")
        write_clips(target, [performed])
        print(f"{target.name}: {len(performed.motion.skeleton)} joints")
