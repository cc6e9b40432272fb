package main

import (
	"testing"

	"github.com/coder/websocket"

	"github.com/fanfare-relay/fanfare/signalling/msg"
)

// TestFlagsOfRoomsOfFiles: who may open one, and whether there is a relay.
func TestFlagsOfRoomsOfFiles(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		args       []string
		may, relay bool
	}{
		"as installed":      {nil, false, false},
		"for everybody":     {[]string{"--open-files"}, true, true},
		"without the relay": {[]string{"--open-files", "--file-relay", "0"}, true, false},
		"for development":   {[]string{"--dev"}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, append([]string{"--data", t.TempDir()}, tt.args...)...)
			switch m := s.openRoom().(type) {
			case msg.Welcome:
				if !tt.may || m.Files == nil || (m.Files.Relay != "") != tt.relay {
					t.Errorf("welcome with %+v", m.Files)
				}
			case msg.Error:
				if tt.may || m.Code != msg.CodeUnauthorised {
					t.Errorf("refused: %+v", m)
				}
			default:
				t.Errorf("answered by %T", m)
			}
		})
	}
}

// openRoom says hello as an uploader without a key, and returns the answer.
func (r *running) openRoom() msg.ServerMessage {
	r.t.Helper()
	conn, _, err := websocket.Dial(r.t.Context(), r.url+"/ws", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	hello, err := msg.Encode(msg.Hello{
		Version: msg.Version, Room: msg.RoomRef{Kind: msg.RoomFiles}, Role: msg.RolePublisher, Files: &msg.FilesTerms{},
	})
	if err == nil {
		err = conn.Write(r.t.Context(), websocket.MessageText, hello)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	_, data, err := conn.Read(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	m, err := msg.DecodeServer(data)
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}
