package cli

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"

	"github.com/foldstream/foldstream"
)

// whereGuard keeps expressions cheap, and makes a task without a priority compare as below all priorities.
type whereGuard struct {
	err error
}

// Visit looks at one node, its children before it.
func (g *whereGuard) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.VariableDeclaratorNode:
		g.refuse(n, "let is not part of this language")
	case *ast.BuiltinNode: // expr disables builtin functions, but for those that take a condition
		if !slices.Contains(whereFunctions, n.Name) {
			g.refuse(n, n.Name+" is not part of this language")
		}
	case *ast.PredicateNode:
		g.alone(n)
	case *ast.BinaryNode:
		switch n.Operator {
		case "..":
			g.refuse(n, "ranges are not part of this language")
		case "<", "<=", ">", ">=":
			belowAll(&n.Left)
			belowAll(&n.Right)
		}
	}
}

// alone refuses a condition on the elements of a list inside another one.
func (g *whereGuard) alone(n *ast.PredicateNode) {
	f := &predicates{}
	ast.Walk(&n.Node, f)
	if f.found {
		g.refuse(n, "a condition on elements inside another one is not part of this language")
	}
}

func (g *whereGuard) refuse(n ast.Node, why string) {
	if g.err == nil {
		at := n.Location()
		g.err = &file.Error{Location: at, Line: 1, Column: at.From, Message: why}
	}
}

// predicates finds conditions on elements.
type predicates struct{ found bool }

// Visit looks at one node.
func (p *predicates) Visit(node *ast.Node) {
	if _, ok := (*node).(*ast.PredicateNode); ok {
		p.found = true
	}
}

// belowAll replaces priority by (priority ?? one less than the lowest).
func belowAll(node *ast.Node) {
	if n, ok := (*node).(*ast.IdentifierNode); ok && n.Value == "priority" {
		ast.Patch(node, &ast.BinaryNode{Operator: "??", Left: &ast.IdentifierNode{Value: "priority"}, Right: &ast.IntegerNode{Value: foldstream.MinPriority - 1}})
	}
}

// columnOf writes the place of a fault, from 1; with the line where there are several.
func columnOf(fault *file.Error) string {
	if fault.Line > 1 {
		return fmt.Sprintf("%d of line %d", fault.Column+1, fault.Line)
	}
	return strconv.Itoa(fault.Column + 1)
}
