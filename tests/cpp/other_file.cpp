// A second file of the program that includes the header. The program links only if the header defines nothing twice.
#include <khufu.hpp>

#include "test.hpp"

khufu::Factory made_in_another_file(std::string_view secret) {
    return khufu::Factory{{"secret", secret}};
}
