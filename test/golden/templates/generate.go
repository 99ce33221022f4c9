package main

import (
	"fmt"
	"math"
	"math/rand"
	"strings"
)

func inf(sign int) float64 { return math.Inf(sign) }
func nan() float64         { return math.NaN() }

// gen writes random templates: mostly well formed, over the data of data.go.
type gen struct {
	*rand.Rand
	vars  []string
	loops int
	// inside a definition, where no template is called: it might be itself
	defining bool
}

func (g *gen) pick(items ...string) string { return items[g.Intn(len(items))] }

func (g *gen) template() string {
	g.vars = nil
	var b strings.Builder
	for range 1 + g.Intn(3) {
		b.WriteString(g.node(0))
	}
	text := b.String()
	if g.Intn(6) == 0 {
		text = g.spoil(text)
	}
	return text
}

// spoil makes a mistake somewhere: a character less, one more, or two swapped.
func (g *gen) spoil(text string) string {
	if text == "" {
		return "{{"
	}
	runes := []rune(text)
	at := g.Intn(len(runes))
	switch g.Intn(3) {
	case 0:
		return string(runes[:at]) + string(runes[at+1:])
	case 1:
		extra := g.pick("{{", "}}", "(", ")", "|", "\"", "'", "`", "$", ".", "-", " ", "\n", ":=", "=", ",", "end", "else", "é", "#", "1", "{{end}}", "{{else}}")
		return string(runes[:at]) + extra + string(runes[at:])
	default:
		other := g.Intn(len(runes))
		runes[at], runes[other] = runes[other], runes[at]
		return string(runes)
	}
}

func (g *gen) open() string  { return g.pick("{{", "{{", "{{ ", "{{- ", "{{-\n") }
func (g *gen) close() string { return g.pick("}}", "}}", " }}", " -}}", "\n-}}") }

func (g *gen) act(text string) string { return g.open() + text + g.close() }

func (g *gen) text() string {
	return g.pick("x", " ", "\n", " y \n ", "é", "}", "{", "a{b}", "\t", "$", "")
}

func (g *gen) node(depth int) string {
	if depth > 2 {
		return g.text() + g.act(g.pipe(1))
	}
	switch g.Intn(13) {
	case 0, 1:
		return g.text()
	case 2, 3, 4, 5:
		return g.act(g.pipe(0))
	case 6:
		return g.branch("if", depth)
	case 7:
		return g.branch("with", depth)
	case 8, 9:
		return g.loop(depth)
	case 10:
		return g.declare()
	case 11:
		return g.act("/* note */")
	default:
		if g.defining {
			return g.act(g.pipe(0))
		}
		name := g.pick("t1", "t2")
		if g.Intn(2) == 0 && depth == 0 {
			return g.act(`define "`+name+`"`) + g.fresh(func() string { return g.node(1) }) + g.act("end")
		}
		if g.Intn(3) == 0 {
			return g.act(`block "b`+fmt.Sprint(g.Intn(1000))+`" `+g.pipe(1)) + g.fresh(func() string { return g.node(1) }) + g.act("end")
		}
		return g.act(`template "` + name + `"` + g.pick("", " .", " "+g.pipe(1)))
	}
}

func (g *gen) fresh(work func() string) string {
	vars, loops, defining := g.vars, g.loops, g.defining
	g.vars, g.loops, g.defining = nil, 0, true
	text := work()
	g.vars, g.loops, g.defining = vars, loops, defining
	return text
}

func (g *gen) scoped(work func() string) string {
	vars := g.vars
	text := work()
	g.vars = vars
	return text
}

func (g *gen) branch(word string, depth int) string {
	return g.scoped(func() string {
		text := g.act(word+" "+g.pipe(0)) + g.body(depth)
		if g.Intn(3) == 0 {
			text += g.act("else "+word+" "+g.pipe(0)) + g.body(depth)
		}
		if g.Intn(2) == 0 {
			text += g.act("else") + g.body(depth)
		}
		return text + g.act("end")
	})
}

func (g *gen) body(depth int) string {
	return g.scoped(func() string { return g.node(depth+1) + g.text() })
}

func (g *gen) loop(depth int) string {
	return g.scoped(func() string {
		head := "range "
		over := g.pick(".list", ".strs", ".ints", ".m", ".sm", ".im", ".bm", ".none", ".em", ".nil", "3", ".one", ".b", ".i8", ".n1", ".f", ".s", "2.0", "-1", "(or .nil .list)", "(index .m \"c\")", "(slice .strs 1)", ".at", "nil")
		switch g.Intn(4) {
		case 0:
			head += "$v := "
			g.vars = append(g.vars, "$v")
		case 1:
			head += "$k, $v := "
			g.vars = append(g.vars, "$k", "$v")
		}
		text := g.act(head + over)
		g.loops++
		text += g.body(depth)
		if g.Intn(4) == 0 {
			text += g.act("if "+g.operand(1)) + g.act(g.pick("break", "continue")) + g.act("end") + g.text()
		}
		g.loops--
		if g.Intn(3) == 0 {
			text += g.act("else") + g.body(depth)
		}
		return text + g.act("end")
	})
}

func (g *gen) declare() string {
	if len(g.vars) > 0 && g.Intn(2) == 0 {
		return g.act(g.vars[g.Intn(len(g.vars))] + " = " + g.pipe(1))
	}
	name := g.pick("$a", "$b", "$long_name1")
	text := g.act(name + g.pick(" := ", ":=") + g.pipe(1))
	g.vars = append(g.vars, name)
	return text + g.act(name)
}

func (g *gen) pipe(depth int) string {
	text := g.command(depth)
	for g.Intn(4) == 0 {
		text += g.pick(" | ", "|", " |\n") + g.piped(depth)
	}
	return text
}

func (g *gen) piped(depth int) string {
	switch g.Intn(6) {
	case 0:
		return "printf " + g.format()
	case 1:
		return g.pick("eq", "ne", "lt", "le", "gt", "ge", "index", "and", "or", "print", "slice") + " " + g.operand(depth+1)
	default:
		return g.pick("len", "not", "print", "println", "html", "js", "urlquery", "printf", "slice", "index")
	}
}

func (g *gen) command(depth int) string {
	if depth > 2 || g.Intn(3) > 0 {
		return g.operand(depth)
	}
	args := func(n int) string {
		text := ""
		for range n {
			text += " " + g.operand(depth+1)
		}
		return text
	}
	switch g.Intn(8) {
	case 0, 1:
		return "printf " + g.format() + args(g.Intn(4))
	case 2:
		return g.pick("eq", "ne", "lt", "le", "gt", "ge") + args(2)
	case 3:
		return g.pick("eq", "and", "or") + args(1+g.Intn(3))
	case 4:
		return "index" + args(1+g.Intn(3))
	case 5:
		return "slice" + args(1+g.Intn(3))
	case 6:
		return g.pick("print", "println", "html", "js", "urlquery", "call") + args(g.Intn(4))
	default:
		return g.pick("len", "not") + args(1)
	}
}

func (g *gen) operand(depth int) string {
	switch g.Intn(12) {
	case 0, 1, 2, 3, 4:
		return g.field()
	case 5, 6:
		return g.literal()
	case 7:
		if len(g.vars) > 0 {
			return g.vars[g.Intn(len(g.vars))] + g.pick("", "", ".a", ".x")
		}
		return "$" + g.field()
	case 8:
		if depth < 3 {
			return "(" + g.pipe(depth+1) + ")" + g.pick("", "", "", ".a", ".c.d", ".Year")
		}
		return "."
	case 9:
		return g.pick(".", "$", "nil", "true", "false")
	case 10:
		return g.number()
	default:
		return g.str()
	}
}

func (g *gen) field() string {
	return "." + g.pick("s", "e", "u", "h", "raw", "n", "z", "neg", "one", "big", "i8", "u8", "u64", "f", "f0", "fbig", "fneg", "f32", "inf", "nan",
		"t", "no", "nil", "b", "list", "strs", "ints", "none", "m", "sm", "em", "im", "bm", "at", "dur", "Upper",
		"m.a", "m.b", "m.c", "m.c.d", "m.nil", "m.zz", "sm.k1", "sm.zz", "missing", "n.x", "s.x", "nil.x", "list.x", "im.one",
		"at.Year", "at.Month", "at.Weekday", "at.Unix", "at.UTC", "at.YearDay", "at.Format", `at.Zone`, "dur.Hours", "dur.String", "dur.Nope")
}

func (g *gen) literal() string {
	return g.pick(g.number(), g.number(), g.str(), "true", "false", "nil")
}

func (g *gen) number() string {
	return g.pick("0", "1", "2", "3", "-1", "+5", "42", "1_000", "0x1F", "0X_f", "0b101", "0o17", "017", "08", "1.5", ".5", "-2.5e3", "1e3", "1e-7", "1E+2",
		"0x1p-2", "0x1.8p1", "1i", "2.5i", "1+2i", "1-2i", "-1.5e1+2e1i", "0i", "'a'", "'\\n'", "'\\''", "'é'", "'\\u65e5'", "'\\x41'", "'ab'", "''",
		"9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775808", "1e19", "1__0", "0x", "1.2.3", "1e", "5.", "0.0", "-0", "-0.0", "1a", "3.0")
}

func (g *gen) str() string {
	return g.pick(`"k1"`, `"a"`, `""`, `"hello"`, `"é日"`, "`raw\\n`", "`two\nlines`", `"a\nb"`, `"\x41\101\u00e9\U0001F389"`, `"\xff"`, `"q\"q"`, `"\q"`, `"b"`, `"zz"`, `"%d"`, `"<&>"`, `"a b?c=d"`)
}

func (g *gen) format() string {
	var b strings.Builder
	for range 1 + g.Intn(3) {
		b.WriteString(g.pick("", "", " ", "-", "é", "100%% "))
		b.WriteString("%")
		for range g.Intn(3) {
			b.WriteString(g.pick("#", "0", "+", "-", " "))
		}
		if g.Intn(12) == 0 {
			b.WriteString(g.pick("[1]", "[2]", "[3]", "[9]", "[", "[]", "[x]", "[0]", "[-1]"))
		}
		b.WriteString(g.pick("", "", "", "1", "5", "8", "12", "*", "05"))
		b.WriteString(g.pick("", "", "", ".", ".0", ".1", ".3", ".10", ".*"))
		if g.Intn(12) == 0 {
			b.WriteString(g.pick("[1]", "[2]", "[3]"))
		}
		b.WriteString(g.pick("v", "v", "s", "d", "q", "x", "X", "t", "T", "b", "o", "O", "c", "U", "e", "E", "f", "F", "g", "G", "w", "z", "é", "!", ""))
	}
	text := b.String()
	if strings.ContainsAny(text, "`") {
		return `"` + text + `"`
	}
	return "`" + text + "`"
}
