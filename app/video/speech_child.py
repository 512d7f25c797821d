"""Runs in a Python of its own, with `faster-whisper` and nothing of ours: prints what is said, a line of JSON each.

Arguments: the film or sound file, the language (two letters), the folder in which models are kept. Exit codes: 3 the
model could not be fetched, 4 there is no sound to read.
"""

import json
import sys

# Good enough to correct by hand, and small enough for a machine without a graphics card.
MODEL = "small"
NO_MODEL, NO_SOUND = 3, 4


def main(path: str, language: str, models: str) -> int:
    """Prints `{"start", "end", "text"}` for each sentence, seconds and words; answers the exit code."""
    import faster_whisper  # type: ignore[import-not-found]  # here it is

    try:
        model = faster_whisper.WhisperModel(MODEL, device="auto", compute_type="int8", download_root=models)
    except Exception as fault:
        # Whatever the library that fetches it calls the fault: of many kinds, and none is documented.
        sys.stderr.write(f"{fault}\n")
        return NO_MODEL
    try:
        segments, _facts = model.transcribe(path, language=language, vad_filter=True)
    except (IndexError, ValueError) as fault:
        # What its reader raises for a file without sound.
        sys.stderr.write(f"{fault}\n")
        return NO_SOUND
    for one in segments:
        sys.stdout.write(json.dumps({"start": one.start, "end": one.end, "text": one.text}) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
