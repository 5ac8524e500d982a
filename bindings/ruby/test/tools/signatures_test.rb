# frozen_string_literal: true

require_relative "../helper"
require "rack"
require "rack/session/khufu"
require "rbs"

# The RBS signatures in sig/.
class SignaturesTest < SessionTest
  FOLDER = File.expand_path("../..", __dir__)
  CLASSES = [Khufu::Factory, Khufu::Session, Khufu::HashMethods, Khufu::Subject, Khufu::Subject::Entry,
             Rack::Session::Khufu].freeze
  # Methods that are not for applications.
  INTERNAL = %i[open opened? opening_error invalidated? thawed write_changes defer memory?].freeze
  # The tests that are run with each argument, result and block checked.
  USES = %w[adding_test csrf_test dictionary_test flash_test lifetime_test store_test subject_test transact_test
            rack/hash_test rack/khufu_session_test rack/options_test].freeze
  # Those of them that pass wrong arguments, or make an Enumerator that deletes, which the check would iterate over.
  EXCEPT = %w[append_to_a_value_that_is_not_a_list check delete_if_and_keep_if
              increment_outside_of_64_bits_or_of_other_types keys_are_strings_or_symbols
              queue_must_be_a_name replace update update_is_all_or_nothing].freeze

  def test_they_are_valid
    output = ruby(Gem.bin_path("rbs", "rbs"), "-I", "sig", "validate", "--silent")
    assert_predicate Process.last_status, :success?, output
  end

  def test_each_public_method_has_one
    loader = RBS::EnvironmentLoader.new
    loader.add(path: Pathname(FOLDER) + "sig")
    builder = RBS::DefinitionBuilder.new(env: RBS::Environment.from_loader(loader).resolve_type_names)
    CLASSES.each do |type|
      signed = builder.build_instance(RBS::TypeName("::#{type.name}")).methods.keys
      methods = type.public_instance_methods(false) - (type == Khufu::Factory ? %i[defer memory?] : INTERNAL)
      assert_empty methods.grep_v(/=\z/) - signed, type
    end
  end

  def test_arguments_and_results_have_the_types_of_the_signatures
    program = USES.map { |name| "require './test/#{name}'" }.join("\n")
    environment = { "RBS_TEST_TARGET" => "Khufu::*", "RBS_TEST_OPT" => "-I sig", "RBS_TEST_LOGLEVEL" => "error" }
    pattern = "/#test_(#{EXCEPT.join('|')})$/"
    output = ruby("-r", "rbs/test/setup", "-I", "lib", "-I", "test", "-e", program, "--", "--exclude", pattern,
                  environment: environment)
    assert_predicate Process.last_status, :success?, output
  end

  private

  def ruby(*command, environment: {})
    IO.popen(environment, [RbConfig.ruby, *command, { chdir: FOLDER, err: %i[child out] }], &:read)
  end
end
