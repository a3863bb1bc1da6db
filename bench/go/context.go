package main

import "context"

func contextOne(contexts int) {
	ended := 0
	for n := 0; n < contexts; n++ {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if ctx.Err() != nil {
			ended++
		}
	}
	check(ended, contexts)
}

func contextTree(children int) {
	root, cancelAll := context.WithCancel(context.Background())
	all := make([]context.Context, children)
	cancels := make([]context.CancelFunc, children)
	for n := range all {
		all[n], cancels[n] = context.WithCancel(root)
	}
	cancelAll()
	ended := 0
	for _, ctx := range all {
		if ctx.Err() != nil {
			ended++
		}
	}
	check(ended, children)
}
