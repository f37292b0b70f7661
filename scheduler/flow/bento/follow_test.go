package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const followed = `
input: {modelops_file: {path: "FOLDER/in", format: csv, required: [id], follow: true, period: PERIOD, rows: 100}}
pipeline:
  threads: 4
  processors:
    - modelops_decode: {step: decode, format: csv, fields: FIELDS}
    - modelops_encode: {step: encode, format: json-lines, fields: FIELDS}
output:
  modelops_file:
    path: "FOLDER/out"
    format: json-lines
    flush: true
    dead_letters: {path: "FOLDER/dead", format: json-lines}
logger: {level: "OFF"}
metrics: {prometheus: {}}
`

const idAndName = `[{"name": "id", "type": "int64", "required": true}, {"name": "name", "type": "string"}]`

// following is a stream over a file that grows.
type following struct {
	*stream
	t      testing.TB
	folder string
}

func follow(t testing.TB, begin, period string) *following {
	t.Helper()
	folder := files(t, begin)
	config := strings.NewReplacer("FOLDER", folder, "FIELDS", idAndName, "PERIOD", period).Replace(followed)
	if problems := lint([]byte(config)); len(problems) > 0 {
		t.Fatal(problems)
	}
	loaded, err := start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = loaded.end(5 * time.Second) })
	return &following{stream: loaded, t: t, folder: folder}
}

func (f *following) source() string { return filepath.Join(f.folder, "in") }

func (f *following) append(text string) {
	f.t.Helper()
	file, err := os.OpenFile(f.source(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(text); err != nil {
		f.t.Fatal(err)
	}
}

func (f *following) size() int64 {
	status, err := os.Stat(f.source())
	if err != nil {
		f.t.Fatal(err)
	}
	return status.Size()
}

// await waits until the sink's file holds so many records, and says after how long.
func (f *following) await(count int) time.Duration {
	f.t.Helper()
	began := time.Now()
	for time.Since(began) < 20*time.Second {
		text, err := os.ReadFile(filepath.Join(f.folder, "out"))
		if err != nil {
			f.t.Fatal(err)
		}
		if found := strings.Count(string(text), "\n"); found >= count {
			return time.Since(began)
		}
		time.Sleep(2 * time.Millisecond)
	}
	f.t.Fatal("not so many records", count, f.report())
	return 0
}

// finish waits for the end, and gives the last report and the ids in the sink.
func (f *following) finish() (report map[string]any, ids []int64) {
	f.t.Helper()
	select {
	case <-f.ended:
	case <-time.After(20 * time.Second):
		f.t.Fatal("the stream does not end", f.report())
	}
	text, err := os.ReadFile(filepath.Join(f.folder, "out"))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		var record struct{ ID int64 }
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			f.t.Fatal(line, err)
		}
		ids = append(ids, record.ID)
	}
	return f.report(), ids
}

func inOrder(t testing.TB, ids []int64, count int) {
	t.Helper()
	if len(ids) != count {
		t.Fatalf("%d records, not %d", len(ids), count)
	}
	for i, id := range ids {
		if id != int64(i) {
			t.Fatalf("record %d is %d", i, id)
		}
	}
}

func TestARecordIsThereOnceItsLineHasEnded(t *testing.T) {
	f := follow(t, "", "20ms")
	f.append("id,na")
	f.append("me\n0,a\n1,")
	f.await(1)
	f.append("b\n2,\"c\n")
	f.await(2)
	f.append("d\"")
	time.Sleep(100 * time.Millisecond)
	if read := f.flow.read.Load(); read != 2 {
		t.Fatal("a record was read before its end:", read)
	}
	f.append("\n3,e\n4,half a li")
	f.await(4)
	if end, ok := f.flow.drain(f.size()); !ok || end != f.size() {
		t.Fatal(end, ok)
	}
	report, ids := f.finish()
	if report["failure"].(*fault) != nil || report["closed"] != true {
		t.Fatal(report)
	}
	inOrder(t, ids, 4)
	if text := lines(t, filepath.Join(f.folder, "out"))[2]; text != `{"id":2,"name":"c\nd"}` {
		t.Fatal(text)
	}
}

func TestADrainReadsAllThatIsThereAndNothingThatComesLater(t *testing.T) {
	f := follow(t, "id,name\n", "20ms")
	var text strings.Builder
	for i := range 30_000 {
		fmt.Fprintf(&text, "%d,n%d\n", i, i)
	}
	f.append(text.String())
	size := f.size()
	end, _ := f.flow.drain(size)
	f.append("30000,late\n")
	if again, _ := f.flow.drain(f.size()); end < size || again != end {
		t.Fatal("the end moved", size, end, again)
	}
	report, ids := f.finish()
	inOrder(t, ids, 30_000)
	if ledger := report["ledger"].(map[string]int64); ledger["read"] != 30_000 || ledger["written"] != 30_000 {
		t.Fatal(report)
	}
}

func TestATrickleIsNotHeldUntilTheBatchIsFull(t *testing.T) {
	f := follow(t, "id,name\n", "50ms")
	f.append("0,a\n")
	f.await(1)
	f.append("1,b\n")
	if waited := f.await(2); waited > 2*time.Second {
		t.Fatal("a record waited for", waited)
	}
	patient := follow(t, "id,name\n", "1500ms")
	patient.append("0,a\n")
	if waited := patient.await(1); waited < 1200*time.Millisecond {
		t.Fatal("a record did not wait for others:", waited)
	}
	var full strings.Builder
	for i := range 100 {
		fmt.Fprintf(&full, "%d,n\n", i+1)
	}
	patient.append(full.String())
	if waited := patient.await(101); waited > time.Second {
		t.Fatal("a full batch waited for", waited)
	}
}

func TestAFileThatDoesAnythingButGrowEndsTheStream(t *testing.T) {
	for name, test := range map[string]struct {
		change func(path string) error
		words  string
	}{
		"cut":      {func(path string) error { return os.Truncate(path, 3) }, "it was cut to 3 bytes"},
		"removed":  {os.Remove, "it was removed or renamed"},
		"renamed":  {func(path string) error { return os.Rename(path, path+".1") }, "it was removed or renamed"},
		"replaced": {func(path string) error { return replace(path) }, "another file took its name"},
	} {
		t.Run(name, func(t *testing.T) {
			f := follow(t, "id,name\n0,a\n", "20ms")
			f.await(1)
			if err := test.change(f.source()); err != nil {
				t.Fatal(err)
			}
			report, _ := f.finish()
			failure := report["failure"].(*fault)
			if failure == nil || failure.Reason != sourceDamaged || !strings.Contains(failure.Message, test.words) {
				t.Fatal(report, failure)
			}
			if report["closed"] == true {
				t.Fatal("its files are said to be complete")
			}
		})
	}
}

func replace(path string) error {
	if err := os.WriteFile(path+".new", []byte("id,name\n0,a\n1,b\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func TestAFollowedHeaderIsChecked(t *testing.T) {
	f := follow(t, "", "20ms")
	f.append("name,age\n")
	<-f.ended
	if failure := f.report()["failure"].(*fault); failure == nil || !strings.Contains(failure.Message, "no column 'id'") {
		t.Fatal(failure)
	}
}

func TestTheAPIDrains(t *testing.T) {
	f := follow(t, "id,name\n0,a\n", "20ms")
	server := httptest.NewServer((&streams{id: "flow", stream: f.stream}).routes())
	defer server.Close()
	ask := func(path, body string) (int, string) {
		response, err := http.Post(server.URL+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var answer map[string]any
		_ = json.NewDecoder(response.Body).Decode(&answer)
		text, _ := json.Marshal(answer)
		return response.StatusCode, string(text)
	}
	f.await(1)
	for path, body := range map[string]string{"/streams/other/drain": `{"bytes":1}`, "/streams/flow/drain": `{"bytes":-1}`} {
		if status, text := ask(path, body); status < 400 {
			t.Fatal(path, body, status, text)
		}
	}
	if status, text := ask("/streams/flow/drain", `{"bytes":12}`); status != 200 || text != `{"end":12}` {
		t.Fatal(status, text)
	}
	if _, ids := f.finish(); len(ids) != 1 {
		t.Fatal(ids)
	}
}

func TestABatchIsNotDrained(t *testing.T) {
	flow := newFlowState()
	if _, isFollowing := flow.drain(1); isFollowing {
		t.Fatal("there is nothing to follow")
	}
}
