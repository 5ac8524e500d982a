# frozen_string_literal: true

module Khufu
  # Finds the options that the text of an INI file sets.
  #
  # The library itself reads and checks these options. Ruby needs to know only a few of them, such as the type.
  # @api private
  module Ini
    # @param text [String] a text that the library has accepted
    # @return [Hash{Symbol => String}] the options of a section whose names begin with the prefix
    def self.options(text, section, prefix)
      inside = section.empty?
      value = nil
      text.each_line.with_object({}) do |line, options|
        content = line.strip
        if content.empty? || content.start_with?("#", ";")
          next
        elsif value && line.start_with?(" ", "\t")
          value << content
        elsif content.start_with?("[")
          inside = content[1..-2].strip == section
          value = nil
        else
          name, value = content.split(/\s*[=:]\s*/, 2)
          options[name.delete_prefix(prefix).to_sym] = value if inside && name.start_with?(prefix)
        end
      end
    end
  end
end
