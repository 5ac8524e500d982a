# frozen_string_literal: true

require_relative "../helper"
require "tmpdir"

# The documentation that YARD makes, with the options in .yardopts.
class DocumentationTest < SessionTest
  def test_it_has_no_warnings_and_each_method_is_documented
    Dir.mktmpdir do |folder|
      command = ["yard", "doc", "-b", File.join(folder, "db"), "-o", File.join(folder, "pages")]
      output = IO.popen([*command, { chdir: File.expand_path("../..", __dir__), err: %i[child out] }], &:read)
      assert_predicate Process.last_status, :success?, output
      refute_includes output, "[warn]"
      assert_match(/^Classes: .* 0 undocumented/, output)
      assert_match(/^Methods: .* 0 undocumented/, output)
    end
  end
end
