package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sort"
	"sync"
	"syscall"
)

type wordCount struct {
	word  string
	count int64
}

// words counts the words of a file, as strings.Fields(strings.ToLower(text)) would give them for ASCII.
func words(path string, goroutines int) {
	info, err := os.Stat(path)
	if err != nil {
		panic(err)
	}
	size := info.Size()
	parts := make([]map[string]*int64, goroutines)
	var counting sync.WaitGroup
	for n := range parts {
		counting.Add(1)
		from, to := size*int64(n)/int64(goroutines), size*int64(n+1)/int64(goroutines)
		parts[n] = make(map[string]*int64)
		go func(counts map[string]*int64) {
			defer counting.Done()
			countLines(path, from, to, counts)
		}(parts[n])
	}
	counting.Wait()
	total := parts[0]
	for _, part := range parts[1:] {
		for word, count := range part {
			if sum, ok := total[word]; ok {
				*sum += *count
			} else {
				total[word] = count
			}
		}
	}
	report(total)
}

// countLines counts the words of the lines that begin from `from` on and before `to`.
func countLines(path string, from, to int64, counts map[string]*int64) {
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	buffer := make([]byte, 1<<18)
	filled := 0
	at := from
	skip := from > 0
	if skip {
		at--
	}
	for at < to {
		n, err := file.ReadAt(buffer[filled:], at+int64(filled))
		filled += n
		end := bytes.LastIndexByte(buffer[:filled], '\n') + 1
		if err == io.EOF {
			end = filled
		}
		begin := 0
		if skip {
			begin = bytes.IndexByte(buffer[:filled], '\n') + 1
			skip = false
		}
		if int64(end) > to-at {
			if last := bytes.IndexByte(buffer[to-at-1:end], '\n'); last >= 0 {
				end = int(to-at) + last
			}
		}
		countWords(buffer[begin:end], counts)
		at += int64(end)
		filled = copy(buffer, buffer[end:filled])
		if err == io.EOF && filled == 0 {
			return
		}
		if filled == len(buffer) {
			buffer = append(buffer, make([]byte, len(buffer))...)
		}
	}
}

func countWords(text []byte, counts map[string]*int64) {
	start := -1
	for i, b := range text {
		switch {
		case b == ' ' || b >= '\t' && b <= '\r':
			if start >= 0 {
				countWord(text[start:i], counts)
				start = -1
			}
			continue
		case b >= 'A' && b <= 'Z':
			text[i] = b + 'a' - 'A'
		}
		if start < 0 {
			start = i
		}
	}
	if start >= 0 {
		countWord(text[start:], counts)
	}
}

// A look-up by a slice of bytes makes no string; only a new word does.
func countWord(word []byte, counts map[string]*int64) {
	if count, ok := counts[string(word)]; ok {
		*count++
		return
	}
	one := int64(1)
	counts[string(word)] = &one
}

// report tells how many words there are, how many different ones, which is the most frequent, and how much memory was used.
func report(counts map[string]*int64) {
	var total int64
	all := make([]wordCount, 0, len(counts))
	for word, count := range counts {
		total += *count
		all = append(all, wordCount{word, *count})
	}
	sort.Slice(all, func(i, j int) bool {
		return all[i].count > all[j].count || all[i].count == all[j].count && all[i].word < all[j].word
	})
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	fmt.Printf("%d %d %s %d\n%d\n", total, len(all), all[0].word, all[0].count, usage.Maxrss*1024)
}
