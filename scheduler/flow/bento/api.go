package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/warpstreamlabs/bento/public/service"
)

// maxConfigBytes bounds a posted configuration.
const maxConfigBytes = 4 << 20

// streams is the streams API with one stream at a time, which is what a flow runner has.
type streams struct {
	mutex  sync.Mutex
	id     string
	stream *stream
}

// stream is one loaded configuration, from its start to its end.
type stream struct {
	flow    *flowState
	started time.Time
	metrics *http.ServeMux
	service *service.Stream
	ended   chan struct{}
	// err is what the stream ended with; read it after ended is closed.
	err error
}

func serve(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	api := &streams{}
	server := &http.Server{Handler: api.routes(), ReadHeaderTimeout: 10 * time.Second}
	stop, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	go func() {
		<-stop.Done()
		api.stop(5 * time.Second)
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *streams) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "pong\n") })
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("POST /streams/{id}", s.create)
	mux.HandleFunc("GET /streams/{id}", s.show)
	mux.HandleFunc("POST /streams/{id}/drain", s.drain)
	mux.HandleFunc("DELETE /streams/{id}", s.remove)
	return mux
}

func (s *streams) current(id string) *stream {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if id != "" && id != s.id {
		return nil
	}
	return s.stream
}

func (s *streams) metrics(w http.ResponseWriter, request *http.Request) {
	if stream := s.current(""); stream != nil {
		stream.metrics.ServeHTTP(w, request)
	}
}

func (s *streams) create(w http.ResponseWriter, request *http.Request) {
	config, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxConfigBytes))
	if err != nil {
		answer(w, http.StatusRequestEntityTooLarge, map[string]any{"error": err.Error()})
		return
	}
	if problems := lint(config); len(problems) > 0 {
		answer(w, http.StatusBadRequest, map[string]any{"lint_errors": problems})
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.stream != nil {
		answer(w, http.StatusConflict, map[string]any{"error": "a stream is loaded already: " + s.id})
		return
	}
	stream, err := start(string(config))
	if err != nil {
		answer(w, http.StatusBadRequest, map[string]any{"error": err.Error()})
		return
	}
	s.id, s.stream = request.PathValue("id"), stream
	answer(w, http.StatusOK, map[string]any{"id": s.id})
}

func start(config string) (*stream, error) {
	flow := newFlowState()
	environment, err := newEnvironment(flow)
	if err != nil {
		return nil, err
	}
	builder := environment.NewStreamBuilder()
	builder.SetEngineVersion(Version)
	builder.SetEnvVarLookupFunc(noVariable)
	if err := builder.SetYAML(config); err != nil {
		return nil, err
	}
	metrics := http.NewServeMux()
	builder.SetHTTPMux(metrics)
	built, err := builder.Build()
	if err != nil {
		return nil, err
	}
	loaded := &stream{flow: flow, started: time.Now(), metrics: metrics, service: built, ended: make(chan struct{})}
	go func() {
		defer close(loaded.ended)
		loaded.err = built.Run(context.Background())
	}()
	// the components are made while it runs: without its source it could not be drained
	select {
	case <-flow.sourced:
	case <-loaded.ended:
	}
	return loaded, nil
}

func (s *streams) show(w http.ResponseWriter, request *http.Request) {
	stream := s.current(request.PathValue("id"))
	if stream == nil {
		answer(w, http.StatusNotFound, map[string]any{"error": "there is no such stream"})
		return
	}
	answer(w, http.StatusOK, stream.report())
}

// report is the stream's state; `closed` and `active: false` together say that every line is in its file.
func (s *stream) report() map[string]any {
	active := true
	var ended string
	select {
	case <-s.ended:
		active = false
		if s.err != nil {
			ended = s.err.Error()
		}
	default:
	}
	flow := s.flow
	flow.mutex.Lock()
	defer flow.mutex.Unlock()
	return map[string]any{
		"active": active, "uptime": time.Since(s.started).Seconds(), "error": ended, "closed": flow.closed.Load(),
		"ledger": map[string]int64{
			"read": flow.read.Load(), "written": flow.written.Load(), "deadLettered": flow.deadLettered.Load(),
			"dropped": flow.dropped.Load(), "filtered": flow.filtered.Load(), "split": 0, "folded": 0,
		},
		"failure": flow.failure, "firstDeadLetter": flow.deadLetter, "waiting": flow.waiting,
		"digests": flow.digests, "counted": flow.counted,
	}
}

// drain ends the reading of an endless source at the given size; what has been read is processed and written.
func (s *streams) drain(w http.ResponseWriter, request *http.Request) {
	stream := s.current(request.PathValue("id"))
	if stream == nil {
		answer(w, http.StatusNotFound, map[string]any{"error": "there is no such stream"})
		return
	}
	var wanted struct {
		Bytes int64 `json:"bytes"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, request.Body, 1<<10)).Decode(&wanted); err != nil || wanted.Bytes < 0 {
		answer(w, http.StatusBadRequest, map[string]any{"error": "the body is {\"bytes\": size of the source}"})
		return
	}
	end, isFollowing := stream.flow.drain(wanted.Bytes)
	if !isFollowing {
		answer(w, http.StatusConflict, map[string]any{"error": "the stream's source ends by itself"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"end": end})
}

func (s *streams) remove(w http.ResponseWriter, request *http.Request) {
	stream := s.current(request.PathValue("id"))
	if stream == nil {
		answer(w, http.StatusNotFound, map[string]any{"error": "there is no such stream"})
		return
	}
	if err := stream.end(20 * time.Second); err != nil {
		answer(w, http.StatusGatewayTimeout, map[string]any{"error": err.Error()})
		return
	}
	s.mutex.Lock()
	s.stream, s.id = nil, ""
	s.mutex.Unlock()
	answer(w, http.StatusOK, stream.report())
}

func (s *streams) stop(limit time.Duration) {
	if stream := s.current(""); stream != nil {
		_ = stream.end(limit)
	}
}

// end stops the stream wherever it is.
func (s *stream) end(limit time.Duration) error {
	s.flow.stop()
	select {
	case <-s.ended:
		return nil
	default:
	}
	if err := s.service.StopWithin(limit); err != nil {
		return fmt.Errorf("the stream does not stop: %w", err)
	}
	return nil
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
