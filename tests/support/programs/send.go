// net/http with an io.Reader of unknown length: chunked
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	var body io.Reader
	if len(os.Args) > 4 {
		file, failed := os.Open(os.Args[4])
		if failed != nil {
			panic(failed)
		}
		body = io.NopCloser(file)
	}
	asked, _ := http.NewRequest(os.Args[1], os.Args[2], body)
	asked.Header.Set("key", os.Args[3])
	if body != nil {
		asked.Header.Set("Content-Type", "application/json")
	}
	answer, failed := http.DefaultClient.Do(asked)
	if failed != nil {
		panic(failed)
	}
	content, _ := io.ReadAll(answer.Body)
	fmt.Printf("%d\n%s", answer.StatusCode, content)
}
