package cli

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// hidden stands for a secret.
const hidden = "****"

// hideSecrets replaces passwords and tokens. The user is a token where there is no password.
func hideSecrets(settings []setting) {
	password := false
	for _, s := range settings {
		password = password || s.Name == "password" && s.Value != ""
	}
	for i, s := range settings {
		name := s.Name[strings.LastIndex(s.Name, ".")+1:]
		switch {
		case s.Value == "":
		case name == "password", name == "user" && !password:
			settings[i].Value = hidden
		case name == "server":
			settings[i].Value = hideInURLs(s.Value)
		}
	}
}

// hideInURLs hides the password of each server, or its user where that is a token.
func hideInURLs(servers string) string {
	list := strings.Split(servers, ",")
	for i, server := range list {
		start, user, rest := secretIn(server)
		name, _, hasPassword := strings.Cut(user, ":")
		switch {
		case user == "":
		case hasPassword && !strings.Contains(name, "@"):
			list[i] = start + name + ":" + hidden + rest
		default:
			list[i] = start + hidden + rest
		}
	}
	return strings.Join(list, ",")
}

var scheme = regexp.MustCompile(`^\s*[a-z]+://`)

// secretIn cuts the address of a server before and after its user and password; a broken one where they are at the latest.
func secretIn(server string) (start, user, rest string) {
	at := strings.LastIndexByte(server, '@')
	if at < 0 {
		return server, "", ""
	}
	from := len(scheme.FindString(server))
	return server[:from], server[from:at], server[at:]
}

// withoutSecrets hides in an error the users and passwords of servers: a library may tell an address that it cannot use.
func withoutSecrets(err error, servers string) error {
	if _, ok := errors.AsType[*url.Error](err); ok {
		return errAddress // it would tell a part of it
	}
	var secrets []string
	for server := range strings.SplitSeq(servers, ",") {
		_, user, _ := secretIn(server)
		_, password, _ := strings.Cut(user, ":")
		secrets = append(secrets, user, password)
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // one may be in another
	text := err.Error()
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, hidden)
		}
	}
	if text == err.Error() {
		return err
	}
	return hiddenError{err, text}
}

var errAddress = errors.New("it cannot be read as an address; in a password, : / ? # [ ] and @ are written as %3A %2F %3F %23 %5B %5D %40")

// hiddenError is an error with another text.
type hiddenError struct {
	error
	text string
}

func (e hiddenError) Error() string { return e.text }
func (e hiddenError) Unwrap() error { return e.error }
