// Renders templates with the real sprig 2.22.0, in the versions of its dependencies that Kanister builds with, and
// writes what came out as a file of vectors (test/vectors/README.md). Run in this folder with TZ=UTC:
//
//	go run . > vectors.json
//
// The combinations of functions and values are many: one of ten is kept, and the hand-written ones all. With the argument
// `all` nothing is left out.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"

	"github.com/Masterminds/sprig"
)

type expectation struct {
	Output       *string        `json:"output,omitempty"`
	OutputBase64 string         `json:"outputBase64,omitempty"`
	Error        *expectedError `json:"error,omitempty"`
}

type expectedError struct {
	Class    string `json:"class"`
	Contains string `json:"contains"`
}

type vector struct {
	ID       string      `json:"id"`
	Family   string      `json:"family"`
	Mode     string      `json:"mode"`
	Template string      `json:"template"`
	Context  string      `json:"context"`
	Expect   expectation `json:"expect"`
}

// The data as templates see it, and the same as JSON with the types that it cannot say.
func data() map[string]interface{} {
	at := func(text string) time.Time {
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			panic(err)
		}
		return t
	}
	return map[string]interface{}{
		"nil": nil, "n": 42, "neg": -7, "f": 2.5, "t": true, "i64": int64(5), "u8": uint8(200), "u": uint64(1<<63 + 5),
		"f32": float32(0.1), "nan": "NaN", "s": "hello", "bytes": []byte("hello"), "bin": []byte{0, 255, 16},
		"list": []interface{}{"a", "b", "c"}, "empties": []interface{}{}, "strs": []string{"x", "y", "z"}, "ints": []int{3, 1, 2},
		"mixed": []interface{}{1, "two", 3.5, true, nil, []interface{}{"n"}},
		"m":     map[string]interface{}{"a": 1, "b": 2, "c": 3}, "em": map[string]interface{}{},
		"deep": map[string]interface{}{"a": map[string]interface{}{"b": map[string]interface{}{"c": "found"}}, "l": []interface{}{1, 2}},
		"sm":   map[string]string{"k1": "v1", "k2": "v2"}, "im": map[int]string{1: "one", 10: "ten"},
		"time": at("2024-03-05T14:07:09.123456789Z"), "tz": at("2024-03-05T14:07:09+05:30"), "tzero": time.Time{},
		"dec": at("1999-12-31T23:59:59.5-11:00"), "dur": 3661 * time.Second,
	}
}

const dataJSON = `{"nil":null,"n":42,"neg":-7,"f":2.5,"t":true,"i64":5,"u8":200,"u":"9223372036854775813","f32":0.1,"nan":"NaN","s":"hello",
"bytes":"aGVsbG8=","bin":"AP8Q","list":["a","b","c"],"empties":[],"strs":["x","y","z"],"ints":[3,1,2],"mixed":[1,"two",3.5,true,null,["n"]],
"m":{"a":1,"b":2,"c":3},"em":{},"deep":{"a":{"b":{"c":"found"}},"l":[1,2]},"sm":{"k1":"v1","k2":"v2"},"im":{"1":"one","10":"ten"},
"time":"2024-03-05T14:07:09.123456789Z","tz":"2024-03-05T14:07:09+05:30","tzero":"0001-01-01T00:00:00Z","dec":"1999-12-31T23:59:59.5-11:00","dur":3661000000000}`

const typesJSON = `{"/i64":"int64","/u8":"uint8","/u":"uint64","/f32":"float32","/bytes":"[]byte","/bin":"[]byte","/strs":"[]string","/ints":"[]int",
"/sm":"map[string]string","/im":"map[int]string","/time":"time.Time","/tz":"time.Time","/tzero":"time.Time","/dec":"time.Time","/dur":"time.Duration"}`

func render(text string) expectation {
	parsed, err := template.New("config").Option("missingkey=error").Funcs(sprig.TxtFuncMap()).Parse(text)
	if err != nil {
		return expectation{Error: &expectedError{"parse", essence(err)}}
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, data()); err != nil {
		return expectation{Error: &expectedError{"exec", essence(err)}}
	}
	if !utf8.Valid(out.Bytes()) {
		return expectation{OutputBase64: base64.StdEncoding.EncodeToString(out.Bytes())}
	}
	text = out.String()
	return expectation{Output: &text}
}

// What an error says behind the place in the template.
func essence(err error) string {
	text := err.Error()
	if at := strings.Index(text, ">: "); at >= 0 {
		return text[at+3:]
	}
	return text
}

func main() {
	var vectors []vector
	seen := map[string]bool{}
	for _, item := range templates() {
		if seen[item.text] {
			continue
		}
		seen[item.text] = true
		sum := sha256.Sum256([]byte(item.text))
		if item.combined && sum[31] > 24 && len(os.Args) < 2 {
			continue
		}
		vectors = append(vectors, vector{
			ID: item.family + "-" + hex.EncodeToString(sum[:5]), Family: item.family, Mode: "string", Template: item.text,
			Context: "gen", Expect: render(item.text),
		})
	}
	context := map[string]json.RawMessage{"data": json.RawMessage(dataJSON), "types": json.RawMessage(typesJSON)}
	file := map[string]interface{}{
		"format": 1, "made_with": map[string]string{"sprig": "2.22.0", "by": "main.go beside this file"},
		"contexts": map[string]interface{}{"gen": context}, "objects": map[string]interface{}{},
	}
	head, _ := json.Marshal(file)
	fmt.Fprintf(os.Stdout, "%s,\n\"vectors\":[\n", strings.TrimSuffix(string(head), "}"))
	for at, item := range vectors {
		var line bytes.Buffer
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		encoder.Encode(item)
		comma := ","
		if at == len(vectors)-1 {
			comma = ""
		}
		fmt.Fprintf(os.Stdout, "%s%s\n", strings.TrimRight(line.String(), "\n"), comma)
	}
	fmt.Fprintln(os.Stdout, "]}")
}
