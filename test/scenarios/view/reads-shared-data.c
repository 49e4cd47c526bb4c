// usage: reads-shared-data HOW... → for each, what a library of another Linux finds by the paths that it was built with.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *function(const char *library, const char *name)
{
	void *handle = dlopen(library, RTLD_NOW), *found = handle ? dlsym(handle, name) : NULL;
	if (!found)
		printf("(%s) ", dlerror());
	return found;
}

static const char *zone(void)
{
	time_t zero = 0;
	setenv("TZ", "Europe/Berlin", 1);
	return localtime(&zero)->tm_hour == 1 ? "found" : "missing";
}

static const char *locale(void)
{
	return setlocale(LC_ALL, "xx_YY.utf8") ? "found" : "missing";
}

// Messages of `xx`; a locale other than C is needed for any.
static const char *messages(void)
{
	setlocale(LC_ALL, "xx_YY.utf8");
	setenv("LANGUAGE", "xx", 1);
	textdomain("probe");
	return strcmp(gettext("missing"), "missing") ? "found" : "missing";
}

static const char *terminfo(void)
{
	int (*setup)(const char *, int, int *) = function("libtinfo.so.6", "setupterm"), error = 0;
	return setup && setup("xterm", 1, &error) == 0 ? "found" : "missing";
}

enum { NO_DEFAULT_INCLUDES = 1 }; // else there is no context without a keyboard map

static const char *keyboard(void)
{
	void *(*context_new)(int) = function("libxkbcommon.so.0", "xkb_context_new");
	void *(*keymap_new)(void *, void *, int) = function("libxkbcommon.so.0", "xkb_keymap_new_from_names");
	void *context = context_new && keymap_new ? context_new(0) : NULL;
	return context && keymap_new(context, NULL, 0) ? "found" : "missing";
}

static const char *compose(void)
{
	void *(*context_new)(int) = function("libxkbcommon.so.0", "xkb_context_new");
	void *(*table_new)(void *, const char *, int) =
		function("libxkbcommon.so.0", "xkb_compose_table_new_from_locale");
	void *context = context_new && table_new ? context_new(NO_DEFAULT_INCLUDES) : NULL;
	return context && table_new(context, "en_US.UTF-8", 0) ? "found" : "missing";
}

static const char *fonts(void)
{
	struct set { int count; } *(*get)(void *, int) = function("libfontconfig.so.1", "FcConfigGetFonts");
	void *(*load)(void) = function("libfontconfig.so.1", "FcInitLoadConfigAndFonts");
	struct set *set = load && get ? get(load(), 0) : NULL;
	return set && set->count > 0 ? "found" : "missing";
}

static const char *cursor(void)
{
	void *(*load)(const char *, const char *, int) = function("libXcursor.so.1", "XcursorLibraryLoadImage");
	return load && load("left_ptr", "Adwaita", 24) ? "found" : "missing";
}

static const char *type(void)
{
	char *(*guess)(const char *, void *, size_t, int *) = function("libgio-2.0.so.0", "g_content_type_guess");
	const char *found = guess ? guess("a.frob", NULL, 0, NULL) : "";
	return strstr(found, "frob") ? "found" : "missing";
}

static const char *opened(const char *path)
{
	FILE *file = fopen(path, "r");
	return file ? "found" : "missing";
}

static const char *certificates(void)
{
	return opened("/usr/share/ca-certificates/ca-bundle.crt");
}

// Where Vulkan's loader looks without XDG_DATA_DIRS, and libglvnd always; their drivers are not of this machine.
static const char *vulkan(void)
{
	return opened("/usr/share/vulkan/icd.d/probe.json");
}

static const char *egl(void)
{
	return opened("/usr/share/glvnd/egl_vendor.d/probe.json");
}

static const char *x_errors(void)
{
	return opened("/usr/share/X11/XErrorDB");
}

static const char *x_resources(void)
{
	return opened("/usr/share/X11/app-defaults/Probe");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *place, *(*look)(void);
	} all[] = {
		{"/usr/share/zoneinfo", zone},	   {"/usr/lib/locale", locale},
		{"/usr/share/locale", messages},   {"/usr/share/terminfo", terminfo},
		{"/usr/share/X11/xkb", keyboard},  {"/usr/share/X11/locale", compose},
		{"/usr/share/X11/XErrorDB", x_errors},
		{"/usr/share/X11/app-defaults", x_resources},
		{"/usr/share/fonts", fonts},
		{"/usr/share/icons", cursor},	   {"/usr/share/mime", type},
		{"/usr/share/ca-certificates", certificates},
		{"/usr/share/vulkan", vulkan},	   {"/usr/share/glvnd", egl},
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		const char *found = all[i].look();
		printf("%s %s\n", all[i].place, found);
	}
	return argc < 0 || !argv;
}
