# frozen_string_literal: true

module Khufu
  # The version of this gem, which is the version of the library it was made with.
  VERSION = "0.1.0"
end
