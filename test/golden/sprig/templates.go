package main

import (
	"fmt"
	"strconv"
	"strings"
)

type item struct {
	family, text string
	// One of very many alike.
	combined bool
}

var texts = []string{
	"", "a", "hello world", "Hello, World", "  padded \t\n", "FirstName", "HTTPServer", "http_server", "GO_PATH-name x", "XMLHttpRequest2",
	"v2Beta10", "http2xx", "HTTP20xOK", "ABC", "aB", "_a__b_", "__", "a_", "1st", "A1B2", "AB1", "ABc", "ABC_", "AB-c", "x y  z", "héllo wörld",
	"Éa ÉA", "日本語 text", "ǆ ǅ Ǆ ß ŉ ﬁ", "İı ſ Σς ΑΣ", "line1\nline2\r\n\tline3", "it's o'neil-smith x_y 1st", "tab\tsep", "nb\u00a0sp\u0085x\u2003y",
	"🎉 party", "\xff\xfe raw \xc3", "a\xffB", "-7", "42", "+5", "1e3", "0x1f", "1_000", "0777", " 9", "9223372036854775808", "1.5", "Inf", "nan", "true",
	"aGVsbG8=", "aGVsbG8", "aGk=", "aGk", "YQ==", "YQ=", "Y===", "YQ==x", "YQ\n==", "a$b", "_-8=", "====", "aGVs bG8=",
	"NBSWY3DP", "MFRGG===", "MFRGG", "MF======", "M=======", "MFR=====", "nbswy3dp", "NBSWY3DPEB3W64TMMQ======", "NB\nSWY3DP", "MFRGGZ==", "1", "MFRG=G==",
	"/", "//", "a/b/c.txt", "a//b/../c/./d", "../../a", "/../a", "a/", "/a/b/", ".", "..", "a.b/c", ".hidden", "a.tar.gz", "./a/..",
	"%zz", "%", "http://a/%41%2f?x=%zz#f%20g", "s3://bucket/key", "https://u:p@h:9000/p?q=1#frag", "mailto:a@b", "//host/p", "///p", "h:80", "h/p:q",
	"http://[::1]:80/x", "http://[::1", "http://[fe80::1%25en0]/", "http://a b/", "http://h:port/", "1http://x", ":x", "http://h?", "http://h?a?", "http://u@/p",
	"HTTP://H/P", "http://h/ü?ü#ü", "a:b:c", "http://a:b:1/", "x://a:b:1/", "http://u:p:q@h/", "http://u[@h/", "*", "?q", "#f", "http://h/a%2Fb", "http:///p", "http:/p",
	"2024-02-29", "2023-02-29", "2024-03-05T14:07:09Z", "2024-03-05T14:07:09.5+02:00", "24", "$x ${y} $$ ${ $1 ${} ${a", "{\"a\": 1}", "<&>'\"",
}

var anything = []string{
	".nil", "nil", ".n", ".neg", ".f", ".t", ".i64", ".u8", ".u", ".f32", ".s", ".bytes", ".bin", ".list", ".empties", ".strs", ".ints", ".mixed", ".m",
	".em", ".deep", ".sm", ".im", ".time", ".tz", ".tzero", ".dec", ".dur", `(semver "1.2.3-b+m")`, `""`, `"0"`, "0", "0.0", "1.9", "-1.5", "1e300", "'a'", "false",
	`(float64 "NaN")`, `(float64 "-Inf")`, `(dict "a" (list 1))`, "(list)", `(list nil "" 0)`, "3i", "(splitList \",\" \"b,a\")", "(until 3)",
}

// Functions of one text.
var ofText = []string{
	"trim", "upper", "lower", "title", "untitle", "swapcase", "snakecase", "camelcase", "kebabcase", "nospace", "initials", "sha1sum", "sha256sum", "adler32sum",
	"b64enc", "b64dec", "b32enc", "b32dec", "base", "dir", "clean", "ext", "isAbs", "atoi", "urlParse", "expandenv", "semver", "quote", "squote", "int", "float64",
	"toDecimal", "regexMatch \"^[a-z]+$\"", "trunc 3", "trunc -1", "substr 1 3", "substr -1 2", "substr 2 -1", "substr 3 2", "abbrev 5", "abbrev 3", "abbrev 0",
	"abbrevboth 5 8", "abbrevboth 3 9", "abbrevboth 0 5", "abbrevboth 6 7", "abbrevboth -1 6", "wrap 4", "wrap 0", "wrapWith 4 \"|\"", "wrapWith 3 \"\"", "indent 2", "nindent 1", "repeat 2",
	"replace \"a\" \"$&b\"", "replace \"\" \"-\"", "replace \" \" \"\"", "trimAll \" a\"", "trimPrefix \"a\"", "trimSuffix \"b\"", "contains \"a\"", "hasPrefix \"h\"",
	"hasSuffix \"\"", "splitList \" \"", "splitList \"\"", "splitn \"/\" 2", "split \"/\"", "splitn \"\" 2", "regexSplit \"[ /]\" ", "toJson", "toPrettyJson", "join \",\"", "sortAlpha",
	"regexReplaceAll \"(\\\\w)(\\\\w*)\"", "toStrings", "len", "regexFindAll \"\\\\w+\"",
}

// Functions of one value of any type.
var ofAny = []string{
	"toString", "toStrings", "int", "int64", "float64", "toDecimal", "add1", "ceil", "floor", "empty", "toJson", "toPrettyJson", "typeOf", "kindOf", "quote", "squote", "cat",
	"first", "last", "rest", "initial", "reverse", "compact", "uniq", "sortAlpha", "join \"-\"", "deepCopy", "keys", "values", "coalesce", "default \"d\"",
	"has 1", "has \"a\"", "append .list", "prepend .strs", "concat .ints", "list", "tuple", "date \"2006-01-02T15:04:05Z07:00 MST\"", "htmlDate", "unixEpoch",
	"dateModify \"1h\"", "dict", "dict \"k\"", "set (dict) \"k\"", "without .mixed", "max 3", "min 3", "add 1", "sub 10", "mul 3", "div 100", "mod 100", "round 1",
	"typeIs \"int\"", "kindIs \"slice\"", "deepEqual .list", "deepEqual 42", "ternary 1 2", "printf \"%v|%T\"", "slice", "upper", "len", "pluck \"a\"", "hasKey .m", "omit .m", "pick .m", "mergeOverwrite .em", "merge .em", "urlJoin", "trunc 2", "until", "unset .m", "plural \"a\" \"b\"",
}

func templates() []item {
	var items []item
	add := func(family, format string, args ...interface{}) {
		items = append(items, item{family, fmt.Sprintf(format, args...), true})
	}
	for _, fn := range ofText {
		name := strings.Fields(fn)[0]
		for _, text := range texts {
			if strings.HasPrefix(fn, "regexSplit") || strings.HasPrefix(fn, "regexFindAll") {
				add("sprig:"+name, "{{ %s %s -1 }}", fn, goString(text))
			} else if strings.HasPrefix(fn, "regexReplaceAll") {
				add("sprig:"+name, "{{ %s %s \"$2-${1}y$1x\" }}", fn, goString(text))
			} else {
				add("sprig:"+name, "{{ %s %s }}", fn, goString(text))
			}
		}
	}
	for _, fn := range ofAny {
		name := strings.Fields(fn)[0]
		for _, value := range anything {
			if (fn == "keys" || fn == "values") && (value == ".m" || value == ".deep") {
				continue // in random order
			}
			if name == "date" && !isInstant(value) || name == "htmlDate" && !isInstant(value) {
				continue // now
			}
			if name == "until" && (value == "1e300" || value == ".u") || name == "fail" {
				continue
			}
			add("sprig:"+name, "{{ %s %s }}", fn, value)
		}
	}
	for _, line := range append(append(append(dates(), regexes()...), versions()...), merges()...) {
		items = append(items, line)
	}
	return append(items, others()...)
}

func dates() []item {
	var items []item
	layouts := []string{
		"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.999999999Z07:00", "Mon Jan _2 15:04:05 2006", "Mon Jan _2 15:04:05 MST 2006", "02 Jan 06 15:04 MST",
		"02 Jan 06 15:04 -0700", "Monday, 02-Jan-06 15:04:05 MST", "3:04PM", "3:04pm", "03:04:05.000", "15h4m5s", "2006-002", "2006 __2", "Jan _2 2006 .000000", "2006-01-02 -07:00:00",
		"20060102150405", "Z0700 Z07 Z070000 Z07:00:00", "-07 -0700 -070000 -07:00", "January Janet Monday Monkey MST", "06/1/2", "2006_2006", "_2006", ",000 .999 .99", "1 2 3 4 5 6 7 8 9 0",
		"0 00 000 0001", "   2006", "Jan", "PM pm Pm", "05.00", "05,999", "", "MST", "2006-01-02 15:04:05.999999999 -0700 MST", "x2006y", "02", "_2", "__2", "002",
	}
	values := []string{
		"2024-03-05T14:07:09Z", "2024-03-05T14:07:09.123456789+05:30", "2024-03-05T14:07:09,5-07:00", "2024-3-5T14:07:09Z", "Tue Mar  5 14:07:09 2024", "Tue Mar 5 14:07:09 CET 2024",
		"05 Mar 24 14:07 GMT+3", "05 Mar 24 14:07 +0530", "Tuesday, 05-Mar-69 14:07:09 PST", "2:07PM", "12:07am", "12:07PM", "13:07pm", "02:07:09.123", "14h7m9s", "2024-065", "2024-366", "2023-366", "2024  65",
		"mar 5 2024 .123456", "MARCH", "20240305140709", "2024-02-30", "Feb", "", "x2024y", "24:00", "2024-03-05T14:07:60Z", "2024-03-05T14:07:09+25:00", "2024-03-05T14:07:09+24:00", "0000-01-01T00:00:00Z",
		"9999-12-31T23:59:59.9999999999Z", "-001-01-01T00:00:00Z", "UTC", "ChST", "WITA", "ABCDE", "ABCDT", "+03", "GMT", "GMT-24", "9", "09", " 9", "   2024", "29", "31", "065", " 65",
	}
	for _, layout := range layouts {
		for _, value := range []string{".time", ".tz", ".tzero", ".dec", ".n", ".neg", "86399"} {
			items = append(items, item{"sprig:date", fmt.Sprintf("{{ date %q %s }}", layout, value), true})
		}
		items = append(items, item{"sprig:dateInZone", fmt.Sprintf("{{ .tz.Format %q }}|{{ .dec.Format %q }}|{{ dateInZone %q .dec \"Asia/Kolkata\" }}", layout, layout, strings.ReplaceAll(layout, "MST", "")), true})
		for _, value := range values {
			items = append(items, item{"sprig:toDate", fmt.Sprintf("{{ toDate %q %q }}", layout, value), true})
		}
	}
	for _, zone := range []string{"UTC", "", "Local", "America/New_York", "Europe/Berlin", "Asia/Tokyo", "Asia/Kolkata", "Australia/Sydney", "America/Sao_Paulo", "Africa/Nairobi", "Pacific/Auckland", "Asia/Kathmandu", "America/St_Johns", "EST", "EST5EDT", "Etc/GMT+3", "No/Such", "../x", "utc", "europe/berlin", "CET", "Europe/London", "Europe/Moscow", "Asia/Shanghai", "Asia/Dubai", "America/Caracas", "Pacific/Honolulu", "Africa/Johannesburg", "Africa/Lagos", "Asia/Jerusalem"} {
		for _, at := range []string{"1704067200", "1720000000", "0"} {
			items = append(items, item{"sprig:dateInZone", fmt.Sprintf("{{ dateInZone \"2006-01-02 15:04:05 -0700 MST\" %s %q }}", at, zone), true})
		}
	}
	for _, by := range []string{"1h", "-1h30m", "1.5h", "90s", "1us", "1µs", "1μs", "3ms2ns", "", "1", "0", "+5m", "-", ".5s", "5.s", "1h-2m", "1e3s", "300000h", "9223372036854775807ns", "9223372036854775808ns", "-9223372036854775808ns", "1d", "0.1ns", "0.3333333333333333333h"} {
		items = append(items, item{"sprig:dateModify", fmt.Sprintf("{{ dateModify %q .time }}", by), true})
	}
	return items
}

func regexes() []item {
	var items []item
	patterns := []string{
		"a", "", "a*", "a+?", "(a)(b)?", "[a-c]+", "^a", "a$", "\\b\\w", "(?i)ABC", "(?m)^l", "(?s).+", "(?P<first>\\w)(?P<second>\\w)", "(?<x>a)", "x*", "[^a-z]", "\\pL+", "\\d{2,3}", "(a|ab)(c|bcd)", "(", "[z-a]", "a**", "\\8", "(?=a)", "*a", "(?z)", "a{1001}", "\\p{Foo}", "[[:alpha:]]+", "[[:foo:]]",
		"a{2,1}", "\\", "(?P<n>a)(?P<n>b)", "\\Qa.b\\E", "\\x{1F389}", "é", "(?U)a+", "a++", "[a", "(?P<>a)", "(?P=n)", "\\C", "\\Aa", "a\\z", "\\Z", "$^", "(|a)*", "(a*)*", "(a*)+",
	}
	inputs := []string{"", "abc", "aaa", "xaax", "line1\nline2", "ABC abc", "abcd", "héé 🎉", "123 45", "a.b", "baaac"}
	replacements := []string{"x", "$1", "${1}y", "$1y", "$$", "$", "${", "${first}", "$second$first", "$0", "${0}", "$9", "\\1", "${1", "$-", "é$0"}
	for _, pattern := range patterns {
		for _, input := range inputs {
			items = append(items, item{"sprig:regexFindAll", fmt.Sprintf("{{ regexMatch %q %q }}{{ regexFind %q %q | quote }}{{ range regexFindAll %q %q -1 }}[{{ . }}]{{ end }}{{ regexFindAll %q %q 2 | len }}", pattern, input, pattern, input, pattern, input, pattern, input), true})
			items = append(items, item{"sprig:regexSplit", fmt.Sprintf("{{ range regexSplit %q %q -1 }}[{{ . }}]{{ end }}{{ regexSplit %q %q 2 | toJson }}", pattern, input, pattern, input), true})
		}
	}
	for _, pattern := range []string{"a", "(a)(b)?", "(?P<first>\\w)(?P<second>\\w)", "a*", "", "x", "é|(b)"} {
		for _, input := range inputs {
			for _, by := range replacements {
				items = append(items, item{"sprig:regexReplaceAll", fmt.Sprintf("{{ regexReplaceAll %q %q %q }}|{{ regexReplaceAllLiteral %q %q %q }}", pattern, input, by, pattern, input, by), true})
			}
		}
	}
	return items
}

func versions() []item {
	var items []item
	constraints := []string{
		"1.2.3", "=1.2.3", "!=1.2.3", ">1.2.3", "<1.2.3", ">=1.2", "=>1.2", "<=1.2", "=<1", "~1.2.3", "~>1.2", "^1.2.3", "^0.2", "^0", "*", "x", "1.x", "1.2.x", "!=1.x", "!=1.2.x", "<1.x", "<=1.2.x", ">1.x", "1.2 - 2.3.4", "1.2-2", ">=1, <2", "<1 || >=1.2.3",
		"~0.0.0", "~0", "~0.0.x", "1.2.3-beta", ">1.2.3-alpha", "^1.2.3-rc.1", "v1.2", "", ">", "a", "1..2", ">= 1.2.3 ", "1.2.3.4", "> 1.2.3, ", "~1.x.5", "^x", "1|2", "99999999999999999999",
	}
	given := []string{"1.2.3", "1.2.4", "1.3.0", "2.0.0", "0.2.1", "0.0.0", "1.2.3-beta", "1.2.3-beta.2", "1.2.3-rc.1+b", "v1.2", "1", "x", "1.2.3-", "01.2.3", "99999999999999999999", "1.0.0-alpha.1"}
	for _, constraint := range constraints {
		for _, version := range given {
			items = append(items, item{"sprig:semverCompare", fmt.Sprintf("{{ semverCompare %q %q }}", constraint, version), true})
		}
	}
	for _, version := range given {
		items = append(items, item{"sprig:semver", fmt.Sprintf("{{ $v := semver %q }}{{ $v }} {{ $v.Major }} {{ $v.Minor }} {{ $v.Patch }} {{ $v.Prerelease }} {{ $v.Metadata }} {{ $v.Original }} {{ $v.IncMinor.String }} {{ $v.IncPatch.Original }} {{ toJson $v }} {{ $v.Compare (semver \"1.2.3\") }} {{ $v.LessThan (semver \"1.2.3-beta.10\") }}", version), true})
		items = append(items, item{"sprig:semver", fmt.Sprintf("{{ (semver %q).IncMajor.Major }}", version), true}, item{"sprig:semver", fmt.Sprintf("{{ printf \"%%v %%s %%+v\" (semver %q) (semver %q) (semver %q).Original }}", version, version, version), true})
	}
	return items
}

func merges() []item {
	var items []item
	dicts := []string{
		`(dict)`, `(dict "a" 1)`, `(dict "a" 0 "b" "")`, `(dict "a" nil)`, `(dict "a" (dict "x" 1))`, `(dict "a" (dict "x" 0 "y" (dict "z" 1)))`, `(dict "a" (list 1 2))`, `(dict "a" (list))`, `(dict "a" "s" "b" (list 3))`,
		`(dict "a" (dict))`, `(dict "a" true)`, `(dict "a" false "c" (dict "k" nil))`, `(deepCopy .deep)`,
	}
	for _, a := range dicts {
		for _, b := range dicts {
			items = append(items, item{"sprig:merge", fmt.Sprintf("{{ merge %s %s | toJson }}", a, b), true})
			items = append(items, item{"sprig:mergeOverwrite", fmt.Sprintf("{{ mergeOverwrite %s %s | toJson }}", a, b), true})
		}
	}
	items = append(items, item{"sprig:merge", `{{ merge (dict "a" 1) (dict "b" 2) (dict "b" 3 "c" 4) | toJson }}`, false},
		item{"sprig:merge", `{{ $d := dict "a" 1 }}{{ $_ := merge $d (dict "b" 2) }}{{ $d | toJson }}`, false},
		item{"sprig:merge", `{{ $d := dict "a" (dict "x" 1) }}{{ $c := deepCopy $d }}{{ $_ := set $d.a "x" 2 }}{{ $c | toJson }}{{ $d | toJson }}`, false})
	return items
}

func others() []item {
	lines := []string{
		`untilStep 0 10 3`, `untilStep 5 0 -2`, `untilStep 0 5 0`, `untilStep 0 5 -1`, `until 0`, `until -3`, `round 2.5 0`, `round -2.5 0`, `round 123.555555 3`, `round 1.005 2`, `round 0.1 20`, `round 1234 -2`,
		`round 3.5 0 0.6`, `round "2.345" 2`, `round 1e22 3`, `div 1 0`, `mod 1 0`, `div -9223372036854775808 -1`, `mul 9223372036854775807 2`, `add 9223372036854775807 1`, `max`, `min 1`, `add`, `repeat -1 "a"`,
		`indent -1 "a"`, `slice .list 1`, `slice .list 1 2`, `slice .list 2 1`, `slice .list -1`, `slice .list 0 9`, `slice .strs 1 | typeOf`, `slice "abc" 1`, `slice .bytes 1 3`, `slice (list) 3`, `fail "no"`, `hello`,
		`abbrevboth 5 10 "1234 5678 9123"`, `abbrevboth 100 10 "1234 5678 9123"`, `abbrevboth 10 10 "abcdefghijklmnopqrstuvwxyz"`, `abbrevboth 4 10 "abcdefghijklmnopqrstuvwxyz"`, `abbrevboth 25 12 "abcdefghijklmnopqrstuvwxyz"`,
		`wrap 10 "the quick brown fox jumps over the lazy dog"`, `wrap 5 "abcdefghij klm nopqrstuvw"`, `wrapWith 5 "--" "abcdefghij klm nopqrstuvw"`, `wrap 3 "   a   b   "`, `wrap -5 "ab c"`,
		`urlJoin (dict "scheme" "http" "host" "h" "path" "p" "userinfo" "u:p")`, `urlJoin (dict "path" "a:b")`, `urlJoin (dict "scheme" "x" "opaque" "o" "query" "q")`, `urlJoin (dict "host" 5)`, `urlJoin (dict "host" nil)`, `urlJoin (dict "userinfo" "u[")`,
		`urlJoin (dict "scheme" "s3" "host" "b" "path" "/ü x?#")`, `urlJoin (dict "path" "*")`, `urlJoin (dict "fragment" "a b" "host" "h h")`, `urlJoin (urlParse "https://u:p%40@h:1/a%2Fb?x=y#z")`, `urlJoin .sm`,
		`buildCustomCert "!" "x"`, `buildCustomCert (b64enc "x") "!"`, `buildCustomCert (b64enc "x") (b64enc "y")`, `genSignedCert "a" nil nil 1 nil`, `genSelfSignedCert "a" (list 1) nil 1`, `genSelfSignedCert "a" (list "1.2.3") nil 1`,
		`genSelfSignedCert "a" (list "01.2.3.4") nil 1`, `genSelfSignedCert "a" (list "::1%e") nil 1`, `genSelfSignedCert "a" nil (list "é") 1`, `genSelfSignedCert "a" "x" nil 1`, `genCA "a"`, `genCA "a" "b"`,
		`decryptAES "k" "!"`, `decryptAES "k" "aGk="`, `decryptAES "k" "MDEyMzQ1Njc4OWFiY2RlZg=="`, `decryptAES "k" "MDEyMzQ1Njc4OWFiY2RlZmc="`, `decryptAES "secretkey" "MDEyMzQ1Njc4OWFiY2RlZm0VInALc/X3wUzX1JY2/2w="`, `decryptAES "k" ""`, `encryptAES "k" ""`,
		`encryptAES "k" "some text" | decryptAES "k"`, `encryptAES (repeat 50 "k") "x" | decryptAES (repeat 32 "k")`, `encryptAES "k" "exactly 16 bytes" | b64dec | len`, `randAlphaNum -1`, `randAlpha 0`, `randNumeric 3 | len`, `uuidv4 | len`, `shuffle "é" `,
		`set .sm "a" 1`, `set nil "a" 1`, `set .m "z" 9 | toJson`, `unset .m "a" | toJson`, `hasKey nil "a"`, `keys nil`, `keys .sm`, `pluck "a" .m .deep`, `pick .m "a" "zz" | toJson`, `omit .m "a" "b" | toJson`, `dict "a" 1 "a" 2 | toJson`, `dict 1.5 2 nil 3 | toJson`,
		`values (dict "a" 1)`, `keys (dict "a" 1)`, `coalesce`, `coalesce 0 "" .nil`, `default "d"`, `default "d" "" "x"`, `ternary 1 2 3`, `ternary 1 2 true`, `quote`, `quote 1 nil "a" .bytes .list`, `squote nil 1 "'"`, `cat`, `cat nil "a" 1.5 .list`,
		`trimAll "é" "éaé"`, `trimall "" "a"`, `splitn "," 0 "a,b" `, `splitn "," 1 "a,b"`, `splitn "," 5 "a,b"`, `splitn "" -1 "ab"`, `splitList "," ""`, `split "," ""`, `splitList "" ""`, `replace "a" "b"`, `sortAlpha (list "b" nil "a" 10 9)`, `sortAlpha nil`, `join "," nil`, `toStrings nil`,
		`append nil 1`, `push "x" 1`, `prepend nil 1`, `first nil`, `last ""`, `rest .bytes`, `reverse .bytes`, `uniq (list 1 1.0 "1" 1 nil nil (list 1) (list 1))`, `without (list 1 2 (list 3)) (list 3) 2`, `has (list 1) (list (list 1))`, `has 1 nil`, `compact .mixed`, `concat nil`, `concat .list .strs .bytes`, `concat | toJson`,
		`deepEqual .m (dict "a" 1 "b" 2 "c" 3)`, `deepEqual .sm (dict "k1" "v1" "k2" "v2")`, `deepEqual (list) (rest (list))`, `deepEqual .time .time`, `deepEqual 1 1.0`, `deepEqual nil nil`, `typeOf nil`, `kindOf nil`, `typeIsLike "semver.Version" (semver "1.0.0")`, `typeIs "*semver.Version" (semver "1.0.0")`,
		`typeOf (genCA "x" 1)`, `kindOf (genCA "x" 1)`, `(genCA "x" 1).Nope`, `typeOf (urlParse "x")`, `typeOf (split "," "a")`, `typeOf (until 2)`, `typeOf (regexFindAll "a" "a" -1)`, `typeOf (now)`, `typeOf (add 1 1)`, `typeOf (int 1)`, `typeOf (round 1 1)`, `typeOf (list 1 | first)`,
		`toDate "2006" "x" | unixEpoch`, `ago 0 | typeOf`, `ago "x"`, `ago .tzero`, `date "2006" .tz`, `unixEpoch .dec`, `htmlDateInZone .dec "Asia/Tokyo"`, `date_in_zone "15:04" .dec "America/New_York"`, `date_modify "-24h" .tz`, `dateModify "1h" 5`, `.dur | int64`, `.dur | toString`, `.dur | quote`,
		`toJson (dict "a" .time "b" .dur "c" .bytes "d" .f32 "e" .u "f" nil "g" "<&>\u2028" "h" 1e21 "i" 1e-7 "j" 100.0)`, `toJson (dict "a" (float64 "NaN"))`, `toPrettyJson (dict "a" (list) "b" (dict) "c" (list 1 (dict "d" "e,{}[]:\"")))`, `toJson "\xff\u0000\t"`, `env "HOLDFAST_NO_SUCH_VARIABLE"`, `getHostByName "127.0.0.1"`,
		`int64 "0x10"`, `int "9223372036854775808"`, `int64 1e30`, `int64 -1e30`, `float64 "1_0"`, `float64 "0x1p4"`, `float64 "0x_1p4"`, `float64 "infinity"`, `float64 "1e400"`, `float64 ".5"`, `float64 "5."`, `float64 "."`, `float64 "1e"`, `toDecimal "-17"`, `toDecimal "0o17"`, `toDecimal "1777777777777777777777"`, `atoi "-9223372036854775809"`,
		`plural "a" "b" 1`, `plural "a" "b" "1"`, `trunc "1" "a"`, `trunc 1.0 "abc"`, `trunc 1.5 "abc"`, `substr 1 "abc"`, `nosuch 1`, `b64dec 5`, `upper nil`, `tuple nil | toJson`, `list nil | first`, `until 3 | join "-"`, `adler32sum "wikipedia"`, `semverCompare "x"`,
	}
	var items []item
	for _, line := range lines {
		items = append(items, item{"sprig:" + strings.Trim(strings.Fields(line)[0], "(."), "{{ " + line + " }}", false})
	}
	return items
}

// Whether a value is a time to the function date; others count as now.
func isInstant(value string) bool {
	for _, name := range strings.Fields(".time .tz .tzero .dec .n .neg .i64 0 'a'") {
		if value == name {
			return true
		}
	}
	return false
}

// A string constant of the template language; strconv.Quote writes what is no UTF-8 as \x..
func goString(text string) string { return strconv.Quote(text) }
