// Renders random templates with Go's own text/template and writes what came of them as template vectors.
//
//	go run . -count 1500 -seed 1 > go-template-vectors.json
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"strings"
	"text/template"
	"unicode/utf8"
)

type vector struct {
	ID       string         `json:"id"`
	Family   string         `json:"family"`
	Mode     string         `json:"mode"`
	Template string         `json:"template"`
	Context  string         `json:"context"`
	Expect   map[string]any `json:"expect"`
}

const noEntry = "map has no entry for key "

func main() {
	count := flag.Int("count", 1500, "vectors to write")
	seed := flag.Int64("seed", 1, "seed of the generator")
	flag.Parse()

	g := &gen{Rand: rand.New(rand.NewSource(*seed))}
	seen := map[string]bool{}
	vectors := []vector{}
	for len(vectors) < *count {
		text := g.template()
		if seen[text] || !utf8.ValidString(text) {
			continue
		}
		seen[text] = true
		expect := render(text)
		if expect == nil {
			continue
		}
		sum := sha256.Sum256([]byte(text))
		vectors = append(vectors, vector{"go-" + hex.EncodeToString(sum[:5]), "go-random", "string", text, "go", expect})
	}
	out := map[string]any{
		"format":    1,
		"made_with": map[string]string{"go": runtime.Version(), "by": "test/golden/templates", "seed": fmt.Sprint(*seed)},
		"contexts":  map[string]any{"go": map[string]any{"data": json.RawMessage(jsonData), "types": json.RawMessage(jsonTypes)}},
		"objects":   map[string]any{},
		"vectors":   vectors,
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		panic(err)
	}
}

// render gives the expectation of a text, or nil for what differs from run to run (addresses).
func render(text string) map[string]any {
	t, err := template.New("config").Option("missingkey=error").Parse(text)
	if err != nil {
		return failure("parse", err.Error())
	}
	var out bytes.Buffer
	if err := t.Execute(&out, goData()); err != nil {
		message := err.Error()
		if at := strings.LastIndex(message, noEntry); at >= 0 {
			key := strings.Trim(message[at+len(noEntry):], `"`)
			return failure("missingKey", fmt.Sprintf("Failed to render template: \"%s\" not found", key))
		}
		return failure("exec", message)
	}
	output := out.String()
	if strings.Contains(output, "0xc0") || strings.Contains(output, "c000") || out.Len() > 2000 {
		return nil
	}
	if !utf8.ValidString(output) {
		return map[string]any{"outputBase64": base64.StdEncoding.EncodeToString(out.Bytes())}
	}
	return map[string]any{"output": output}
}

func failure(class, message string) map[string]any {
	if !utf8.ValidString(message) || strings.Contains(message, "0xc0") {
		return nil
	}
	result := map[string]any{"class": class, "message": message, "contains": message}
	if strings.Contains(message, "reflect") || strings.Contains(message, "runtime error") {
		result["loose"] = true
	}
	return map[string]any{"error": result}
}
