package cli

import (
	"net/url"
	"regexp"
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
		address := strings.TrimSpace(server)
		if !strings.Contains(address, "://") {
			address = "nats://" + address
		}
		u, err := url.Parse(address)
		switch {
		case err != nil:
			list[i] = userInfo.ReplaceAllString(server, "/"+hidden+"@")
			continue
		case u.User == nil:
			continue
		}
		secret := hidden
		if _, ok := u.User.Password(); ok {
			secret = u.User.Username() + ":" + hidden
		}
		list[i] = u.Scheme + "://" + secret + "@" + u.Host
	}
	return strings.Join(list, ",")
}

// userInfo is what stands in an address before its host.
var userInfo = regexp.MustCompile(`(?:^|[/,])([^/,@]+)@`)

// withoutSecrets hides in an error what stands in addresses before their hosts: a library may tell an address that it cannot read.
func withoutSecrets(err error, servers string) error {
	text := err.Error()
	for _, m := range userInfo.FindAllStringSubmatch(servers, -1) {
		text = strings.ReplaceAll(text, m[1], hidden)
		if _, password, ok := strings.Cut(m[1], ":"); ok && password != "" {
			text = strings.ReplaceAll(text, password, hidden)
		}
	}
	if text == err.Error() {
		return err
	}
	return hiddenError{err, text}
}

// hiddenError is an error with another text.
type hiddenError struct {
	error
	text string
}

func (e hiddenError) Error() string { return e.text }
func (e hiddenError) Unwrap() error { return e.error }
