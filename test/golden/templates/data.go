package main

import "time"

// The data that generated templates see, as Go values and as the JSON and types from which our side builds the same.

func goData() map[string]any {
	at, _ := time.Parse(time.RFC3339Nano, "2024-03-05T14:07:09.123456789Z")
	return map[string]any{
		"s": "hello", "e": "", "u": "hé日🎉", "h": `<a href="x">O'Reilly & co</a>`, "raw": "a\nb\t\\",
		"n": 42, "z": 0, "neg": -7, "one": 1, "big": int64(9007199254740993), "i8": int8(-3), "u8": uint8(200), "u64": uint64(18446744073709551615),
		"f": 3.14, "f0": 0.0, "fbig": 1e21, "fneg": -2.5, "f32": float32(0.1), "inf": inf(1), "nan": nan(),
		"t": true, "no": false, "nil": nil,
		"b": []byte("hel\xfflo"), "list": []any{"a", 1, nil, 2.5, true, []any{"n"}}, "strs": []string{"x", "y", "z"}, "ints": []int{3, 1, 2}, "none": []any{},
		"m": map[string]any{"b": 2, "a": "x", "c": map[string]any{"d": []any{1, 2}}, "nil": nil}, "sm": map[string]string{"k1": "v1", "k2": "v2"}, "em": map[string]any{},
		"im": map[int]string{2: "two", 1: "one", 10: "ten"}, "bm": map[bool]string{true: "yes", false: "no"},
		"at": at, "dur": 3661 * time.Second, "Upper": "U",
	}
}

const jsonData = `{
  "s": "hello", "e": "", "u": "hé日🎉", "h": "<a href=\"x\">O'Reilly & co</a>", "raw": "a\nb\t\\",
  "n": 42, "z": 0, "neg": -7, "one": 1, "big": "9007199254740993", "i8": -3, "u8": 200, "u64": "18446744073709551615",
  "f": 3.14, "f0": 0, "fbig": 1e21, "fneg": -2.5, "f32": 0.1, "inf": "+Inf", "nan": "NaN",
  "t": true, "no": false, "nil": null,
  "b": "aGVs/2xv", "list": ["a", 1, null, 2.5, true, ["n"]], "strs": ["x", "y", "z"], "ints": [3, 1, 2], "none": [],
  "m": {"b": 2, "a": "x", "c": {"d": [1, 2]}, "nil": null}, "sm": {"k1": "v1", "k2": "v2"}, "em": {},
  "im": {"2": "two", "1": "one", "10": "ten"}, "bm": {"true": "yes", "false": "no"},
  "at": "2024-03-05T14:07:09.123456789Z", "dur": 3661000000000, "Upper": "U"
}`

const jsonTypes = `{
  "/big": "int64", "/i8": "int8", "/u8": "uint8", "/u64": "uint64", "/f0": "float64", "/fbig": "float64", "/f32": "float32",
  "/inf": "float64", "/nan": "float64", "/b": "[]byte", "/strs": "[]string", "/ints": "[]int", "/sm": "map[string]string",
  "/im": "map[int]string", "/bm": "map[bool]string", "/at": "time.Time", "/dur": "time.Duration"
}`
