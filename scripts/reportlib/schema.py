"""Is a value what results/schema.json says?

Walks the few JSON Schema keywords that file uses, so that reading a result needs no extra package and an
error names the place, as in `benchmarks[3].real_time`.
"""

import json
import pathlib

SCHEMA_PATH = pathlib.Path(__file__).resolve().parents[2] / "results" / "schema.json"

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "null": lambda value: value is None,
}


def load_schema():
    return json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))


def first_fault(value, schema, place="result"):
    """The first difference as «place: what is wrong», or None."""
    for keyword, check in CHECKS.items():
        if keyword in schema:
            fault = check(value, schema[keyword], place)
            if fault:
                return fault
    return None


def _check_type(value, wanted, place):
    names = [wanted] if isinstance(wanted, str) else wanted
    if any(TYPES[name](value) for name in names):
        return None
    return f"{place}: expected {' or '.join(names)}, found {_excerpt(value)}"


def _check_enum(value, allowed, place):
    if value in allowed:
        return None
    return f"{place}: expected one of {', '.join(allowed)}, found {_excerpt(value)}"


def _check_minimum(value, minimum, place):
    return None if value >= minimum else f"{place}: {_excerpt(value)} is less than {minimum}"


def _check_min_length(value, minimum, place):
    return None if len(value) >= minimum else f"{place}: must not be empty"


def _check_required(value, keys, place):
    missing = [key for key in keys if key not in value]
    return f"{place}: lacks {', '.join(missing)}" if missing else None


def _check_properties(value, properties, place):
    faults = (first_fault(value[key], properties[key], f"{place}.{key}") for key in properties if key in value)
    return next((fault for fault in faults if fault), None)


def _check_items(value, item_schema, place):
    faults = (first_fault(item, item_schema, f"{place}[{index}]") for index, item in enumerate(value))
    return next((fault for fault in faults if fault), None)


# In the order of asking: the type first, since the others rely on it.
CHECKS = {
    "type": _check_type,
    "enum": _check_enum,
    "minimum": _check_minimum,
    "minLength": _check_min_length,
    "required": _check_required,
    "properties": _check_properties,
    "items": _check_items,
}


def _excerpt(value):
    text = json.dumps(value, default=str)
    return text if len(text) <= 40 else text[:37] + "..."
