package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxReplyBytes bounds what is read of one answer.
const maxReplyBytes = 256 << 20

// maxWait is the longest pause between two questions to a service that does not answer.
const maxWait = 5 * time.Second

// inference asks one model of an Open Inference Protocol V2 service.
type inference struct {
	flow   *flowState
	url    string
	model  string
	client *http.Client
}

// reply is an answer about the records: either the tensors, or a refusal.
type reply struct {
	body    []byte
	refusal *refusal
}

func newInference(flow *flowState, base, model string, timeout time.Duration) *inference {
	transport := &http.Transport{
		MaxIdleConnsPerHost: 32, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
	}
	address := strings.TrimSuffix(base, "/") + "/v2/models/" + url.PathEscape(model) + "/infer"
	return &inference{
		flow: flow, url: address, model: model, client: &http.Client{Transport: transport, Timeout: timeout},
	}
}

// ask sends one request until it is answered; only the end of the stream ends that with an error.
func (i *inference) ask(ctx context.Context, body []byte) (*reply, error) {
	for attempt := 0; ; attempt++ {
		answer, outage, after := i.try(ctx, body)
		if answer != nil {
			if attempt > 0 {
				i.flow.wait("")
			}
			return answer, nil
		}
		i.flow.wait(i.describe(outage))
		pause := min(maxWait, 50*time.Millisecond<<min(attempt, 7))
		pause = max(after, pause/2+rand.N(pause/2))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-i.flow.ctx.Done():
			return nil, i.flow.ctx.Err()
		}
	}
}

// try gives an answer about the records, or why there is none and how long the service wants to be left alone.
func (i *inference) try(ctx context.Context, body []byte) (answer *reply, outage string, after time.Duration) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url, bytes.NewReader(body))
	if err != nil {
		return nil, err.Error(), 0
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := i.client.Do(request)
	if err != nil {
		return nil, err.Error(), 0
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxReplyBytes))
	if err != nil {
		return nil, err.Error(), 0
	}
	switch response.StatusCode {
	case http.StatusOK:
		return &reply{body: text}, "", 0
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return &reply{refusal: parseRefusal(response.StatusCode, text)}, "", 0
	}
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	after = min(maxWait, time.Duration(max(seconds, 0))*time.Second)
	return nil, fmt.Sprintf("HTTP %d %s", response.StatusCode, excerpt(text)), after
}

func (i *inference) describe(what string) string {
	return fmt.Sprintf("scoring service %s, model '%s': %s", i.url, i.model, what)
}

func parseRefusal(status int, text []byte) *refusal {
	refused := &refusal{}
	if err := json.Unmarshal(text, refused); err != nil || refused.Error == "" {
		refused.Error = fmt.Sprintf("HTTP %d %s", status, excerpt(text))
	}
	return refused
}

func excerpt(text []byte) string {
	if len(text) > 200 {
		text = text[:200]
	}
	return strings.TrimSpace(strings.ToValidUTF8(string(text), ""))
}
