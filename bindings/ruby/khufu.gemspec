# frozen_string_literal: true

require_relative "lib/khufu/version"

Gem::Specification.new do |spec|
  spec.name = "khufu"
  spec.version = Khufu::VERSION
  spec.authors = ["The khufu developers"]
  spec.summary = "Sessions shared with the Python web framework Pyramid"
  spec.description = "Reads and writes the sessions of Pyramid applications, in signed or encrypted cookies or in a " \
                     "store such as Redis, through khufu's shared library."
  spec.licenses = ["MIT", "Apache-2.0"]
  spec.required_ruby_version = ">= 3.1"

  spec.files = Dir["lib/**/*.rb", "sig/*.rbs", "README.md", base: __dir__]
  spec.require_paths = ["lib"]

  spec.add_dependency "ffi", "~> 1.15"
  spec.requirements << "khufu's shared library, ABI 1 (libkhufu.so.1)"
end
