#!/bin/sh
# From CVAT to labels of every frame, and back to CVAT and Label Studio.
#
#     docs/annotations.sh VIDEO MASKS WORK [OPTIONS OF pseudolabel]
#
# MASKS has a mask of every frame (frame_000000.png or 00000.png, ...). Every tenth stands for what an annotator
# drew in a video task of CVAT; all of them tell at the end how good the labels are.
set -eu
video=$1 masks=$2 work=$3
shift 3
mkdir -p "$work"

# What CVAT exports of a video task ("CVAT for video 1.1"): each drawing is a track that ends one frame later.
python - "$masks" "$work/task.xml" <<'EXPORT'
import itertools, pathlib, re, sys
import numpy as np
from PIL import Image

tracks = []
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.png")):
    frame = int(re.findall("[0-9]+", path.stem)[-1])
    mask = np.asarray(Image.open(path)) > 0
    if frame % 10 or not mask.any():
        continue
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = mask[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
    runs = [len(list(run)) for _, run in itertools.groupby(box.ravel().tolist())]
    rle = ", ".join(map(str, [0, *runs] if box[0, 0] else runs))  # along the rows of the box, zeros first
    shape = (
        f'keyframe="1" occluded="0" rle="{rle}" left="{xs[0]}" top="{ys[0]}" '
        f'width="{box.shape[1]}" height="{box.shape[0]}" z_order="0"/>'
    )
    tracks.append(
        f'<track id="{len(tracks)}" label="chair" source="manual">'
        f'<mask frame="{frame}" outside="0" {shape}<mask frame="{frame + 1}" outside="1" {shape}</track>'
    )
size = f"<original_size><width>{mask.shape[1]}</width><height>{mask.shape[0]}</height></original_size>"
label = "<labels><label><name>chair</name><color>#33ddff</color><type>mask</type></label></labels>"
meta = f"<meta><task><name>chair</name><mode>interpolation</mode>{label}{size}</task></meta>"
text = f"<annotations><version>1.1</version>{meta}{''.join(tracks)}</annotations>"
pathlib.Path(sys.argv[2]).write_text(text, encoding="utf-8")
EXPORT

# In, as it is.
vsodtool pseudolabel "$video" --masks "$work/task.xml" -o "$work/labels" "$@"

# Out: all frames for CVAT, those that were made for Label Studio, with their confidence as score.
vsodtool convert "$work/labels" -o "$work/back.xml" --to cvat --overwrite
vsodtool convert "$work/labels" -o "$work/tasks.json" --to label-studio --overwrite

# Read back, and compared with the masks that the annotator did not draw.
for file in back.xml tasks.json; do
    rm -rf "$work/read"
    vsodtool convert "$work/$file" --input "$video" --predictions -o "$work/read" --to masks
    vsodtool evaluate "$work/read" "$masks" --protocol davis --objects single --every 10 --json \
        > "$work/${file%.*}-scores.json"
done

# What was given is what came back, pixel for pixel: the export itself is the truth of these frames.
vsodtool evaluate "$work/read" "$work/task.xml" --protocol davis --objects single --keep-ends --allow-extra
