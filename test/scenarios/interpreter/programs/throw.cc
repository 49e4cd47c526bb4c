// One of three libraries: each calls the NEXT one, the last throws; each leaves a mark when it is unwound.
#include <stdexcept>
#include <string>

namespace {
struct Mark {
  std::string &trace;
  ~Mark() { trace += LEVEL_NAME; }
};
} // namespace

#ifdef NEXT
void NEXT(std::string &);
#endif

void LEVEL(std::string &trace) {
  Mark mark{trace};
#ifdef NEXT
  NEXT(trace);
#else
  std::string().at(7);
#endif
}
