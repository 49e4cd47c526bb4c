// An entry of the environment → whether the resolver may be told it. The launcher and the audit module both start one.
#pragma once

#include <stdbool.h>

/// The environment that marks the resolver, and every process that it starts.
#define RESOLVER_MARK "NIX_RUN_FOREIGN_RESOLVING"

// What the resolver, and the Nix that it starts, may be told. Anything else could change how their loader, Node,
// OpenSSL or Nix themselves behave. A name that ends in `=` is a whole one, any other the beginning of one. One string
// after the other, since each pointer would be a relocation in every start.
static const char for_resolver[] = "PATH=\0HOME=\0USER=\0LOGNAME=\0SHELL=\0TMPDIR=\0"
				   "LANG=\0LANGUAGE=\0LC_\0LOCALE_ARCHIVE\0TZ=\0TZDIR=\0"
				   "TERM=\0COLORTERM=\0NO_COLOR=\0FORCE_COLOR=\0COLUMNS=\0LINES=\0"
				   "XDG_\0NIX_\0AWS_\0SSH_AUTH_SOCK=\0"
				   "SSL_CERT_FILE=\0SSL_CERT_DIR=\0CURL_CA_BUNDLE=\0"
				   "http_proxy=\0https_proxy=\0all_proxy=\0no_proxy=\0"
				   "HTTP_PROXY=\0HTTPS_PROXY=\0ALL_PROXY=\0NO_PROXY=\0";

// Of those that begin so, these are not for the resolver.
static const char not_for_resolver[] = "NIX_LD\0NIX_RUN_FOREIGN_WRITE_COMPILED=\0" RESOLVER_MARK "=\0";

__attribute__((noinline, unused)) static bool begins_with_one_of(const char *entry, const char *prefix)
{
	while (*prefix) {
		const char *at = entry;
		while (*prefix && *at == *prefix)
			at++, prefix++;
		if (!*prefix)
			return true;
		while (*prefix++)
			;
	}
	return false;
}

static inline bool is_for_resolver(const char *entry)
{
	return begins_with_one_of(entry, for_resolver) && !begins_with_one_of(entry, not_for_resolver);
}
