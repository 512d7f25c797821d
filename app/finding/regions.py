"""The regions of the body on which a reader points, from the head down. Pure."""

from dataclasses import dataclass

from app.i18n import N_, _

FRONT, BACK = "front", "back"


@dataclass(frozen=True)
class Region:
    """`name` is not yet translated; `sides`: on which views of the body it is drawn."""

    key: str
    name: str
    sides: tuple[str, ...]

    @property
    def label(self) -> str:
        return _(self.name)


_ALL = (
    Region("head", N_("Head and jaw"), (FRONT, BACK)),
    Region("neck", N_("Neck"), (FRONT, BACK)),
    Region("shoulder", N_("Shoulder"), (FRONT, BACK)),
    Region("chest", N_("Chest"), (FRONT,)),
    Region("upper-back", N_("Upper back"), (BACK,)),
    Region("arm", N_("Upper arm and elbow"), (FRONT, BACK)),
    Region("hand", N_("Forearm, wrist and hand"), (FRONT, BACK)),
    Region("belly", N_("Belly"), (FRONT,)),
    Region("lower-back", N_("Lower back"), (BACK,)),
    Region("hip", N_("Front of the hip"), (FRONT,)),
    Region("seat", N_("Seat and back of the hip"), (BACK,)),
    Region("thigh", N_("Front of the thigh"), (FRONT,)),
    Region("hamstrings", N_("Back of the thigh"), (BACK,)),
    Region("knee", N_("Knee"), (FRONT, BACK)),
    Region("shin", N_("Shin"), (FRONT,)),
    Region("calf", N_("Calf"), (BACK,)),
    Region("foot", N_("Ankle and foot"), (FRONT, BACK)),
)
REGIONS: dict[str, Region] = {region.key: region for region in _ALL}


def known(keys: "list[str] | tuple[str, ...]") -> tuple[str, ...]:
    """Those of the keys that are regions, each once, from the head down."""
    return tuple(key for key in REGIONS if key in keys)
