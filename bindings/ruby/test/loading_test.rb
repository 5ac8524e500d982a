# frozen_string_literal: true

require_relative "helper"
require "rubygems"
require "tmpdir"

# Finding and loading the library.
class LoadingTest < SessionTest
  def test_gem_and_library_have_the_same_version
    assert_equal Khufu::VERSION, Khufu.const_get(:Native).khufu_version
  end

  def test_every_function_of_the_header_that_ruby_needs_is_bound
    header = File.read(File.expand_path("../../../include/khufu.h", __dir__))
    declared = header.scan(/\b(khufu_[a-z0-9_]+)\s*\(/).flatten.uniq
    bound = declared.select { |name| Khufu.const_get(:Native).respond_to?(name) }
    # Ruby does not need a function for each type, because it reads and sets values as JSON text, and no short form of a
    # function that has a longer one.
    unbound = declared - bound
    assert_empty unbound - %w[
      khufu_session_get_string khufu_session_get_int64 khufu_session_get_bool khufu_session_set_int64
      khufu_session_set_double khufu_session_set_bool khufu_session_set_null khufu_session_pop
      khufu_session_open khufu_session_commit khufu_session_header khufu_session_next_flash
    ]
    refute_empty bound
  end

  def test_library_found_by_its_path
    output, status = run_ruby('require "khufu"; print Khufu.generate_secret.length', "KHUFU_LIBRARY" => library)
    assert_equal ["128", true], [output, status.success?]
  end

  def test_library_found_by_the_system
    Dir.mktmpdir do |folder|
      File.symlink(library, File.join(folder, "libkhufu.so.1"))
      [nil, ""].each do |path|
        output, status = run_ruby('require "khufu"; print 1', "KHUFU_LIBRARY" => path, "LD_LIBRARY_PATH" => folder)
        assert_equal ["1", true], [output, status.success?]
      end
    end
  end

  def test_missing_library
    output, status = run_ruby(<<~RUBY, "KHUFU_LIBRARY" => "/nowhere/libkhufu.so")
      require "khufu"
    RUBY
    refute_predicate status, :success?
    assert_match(/khufu's shared library cannot be loaded.*KHUFU_LIBRARY.*\/nowhere\/libkhufu\.so.*\(LoadError\)/m, output)
  end

  def test_library_with_another_abi
    Dir.mktmpdir do |folder|
      source = File.join(folder, "other.c")
      other = File.join(folder, "libkhufu.so")
      File.write(source, 'unsigned khufu_abi_version(void) { return 99; } const char *khufu_version(void) { return "9.9"; }')
      assert system("cc", "-shared", "-fPIC", "-o", other, source)
      output, status = run_ruby('require "khufu"', "KHUFU_LIBRARY" => other)
      refute_predicate status, :success?
      assert_match(/needs khufu's ABI 1, but khufu 9\.9 at #{other} has ABI 99: install the library that matches the gem/, output)
    end
  end

  def test_no_warnings_and_nothing_else_defined
    output, = run_ruby('before = Object.constants; require "ffi"; require "json"; between = Object.constants
                        require "khufu"; print (Object.constants - between).join(" ")', "KHUFU_LIBRARY" => library)
    assert_equal "Khufu", output
    internal = %i[Native Text Value Seconds Options ResponseHeaders]
    assert_equal internal, internal - Khufu.constants
  end

  def test_example
    example = File.expand_path("../../../examples/ruby/visits.rb", __dir__)
    output, status = run_ruby(File.read(example), "KHUFU_LIBRARY" => library)
    assert_equal ["visit 1 \nvisit 2 Welcome back!\n", true], [output, status.success?]
  end

  def test_gemspec
    specification = Gem::Specification.load(File.expand_path("../khufu.gemspec", __dir__))
    assert_equal ["khufu", Khufu::VERSION], [specification.name, specification.version.to_s]
    files = Dir.chdir(File.expand_path("..", __dir__)) { Dir["lib/**/*.rb"] }
    assert_empty files - specification.files
  end

  private

  def library = Khufu.const_get(:Native).ffi_libraries.first.name
end
