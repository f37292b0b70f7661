package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"gopkg.in/yaml.v3"
)

// problem is one fault of a configuration, with its place in the text.
type problem struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

func lint(config []byte) []problem {
	environment, err := newEnvironment(newFlowState())
	if err != nil {
		return []problem{{Message: err.Error()}}
	}
	linter := environment.FullConfigSchema(Version, "").NewStreamConfigLinter().
		SetRejectDeprecated(true).
		SetEnvVarLookupFunc(func(context.Context, string) (string, bool) { return "", false })
	lints, err := linter.LintYAML(config)
	if err != nil {
		return []problem{{Line: 1, Message: err.Error()}}
	}
	problems := make([]problem, len(lints))
	for i, lint := range lints {
		problems[i] = problem{Line: lint.Line, Column: lint.Column, Message: lint.What}
	}
	if len(problems) > 0 {
		return problems
	}
	return lintTexts(config)
}

// lintTexts finds in the texts of steps what the linter lets pass because it makes nothing: an argument that is written
// out and that its function refuses. Loading the stream would end with it.
func lintTexts(config []byte) []problem {
	var root yaml.Node
	if err := yaml.Unmarshal(config, &root); err != nil {
		return []problem{{Line: 1, Message: err.Error()}}
	}
	language := newLanguage()
	var problems []problem
	var walk func(node *yaml.Node)
	walk = func(node *yaml.Node) {
		for i, child := range node.Content {
			walk(child)
			if node.Kind != yaml.MappingNode || i%2 == 0 || child.Kind != yaml.ScalarNode {
				continue
			}
			if key := node.Content[i-1].Value; key != "mapping" && key != "condition" {
				continue
			}
			if _, err := language.Parse(child.Value); err != nil {
				problems = append(problems, problem{Line: child.Line, Column: child.Column, Message: err.Error()})
			}
		}
	}
	walk(&root)
	return problems
}

// lintCommand writes the problems as a JSON list; exit code 1 when there are any, 2 when nothing could be read.
func lintCommand(arguments []string, stdin io.Reader, stdout io.Writer) int {
	debug.SetGCPercent(25)
	from := stdin
	if len(arguments) == 1 && arguments[0] != "-" {
		file, err := os.Open(arguments[0])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
		defer file.Close()
		from = file
	}
	config, err := io.ReadAll(io.LimitReader(from, maxConfigBytes+1))
	if err != nil || len(config) > maxConfigBytes {
		fmt.Fprintln(os.Stderr, "the configuration cannot be read, or is larger than 4 MiB:", err)
		return 2
	}
	problems := lint(config)
	_ = json.NewEncoder(stdout).Encode(append([]problem{}, problems...))
	if len(problems) > 0 {
		return 1
	}
	return 0
}
