// Catches what the third of three libraries throws, with objects of all of them unwound on the way.
#include <cstdio>
#include <stdexcept>
#include <string>

void first(std::string &);

int main() {
  std::string trace;
  try {
    first(trace);
  } catch (const std::out_of_range &thrown) {
    std::printf("%s %s\n", thrown.what(), trace.c_str());
    return 0;
  }
  return 1;
}
