# frozen_string_literal: true

# Builds the gem that holds the library: gem.rb FOLDER TARGET. The folder has the gem's files, the library and the
# licences.

require "rubygems/package"

folder, target = ARGV.map { |path| File.expand_path(path) }
Dir.chdir(folder) do
  specification = Gem::Specification.load("khufu.gemspec")
  specification.platform = "x86_64-linux"
  specification.requirements.clear # the library is in the gem
  specification.files += Dir["lib/khufu/libkhufu.so.*", "LICENSE-*", "THIRD-PARTY/*"]
  Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) do
    Gem::Package.build(specification, false, false, File.join(target, specification.file_name))
  end
end
