# frozen_string_literal: true

# The session as a Hash that may be changed, for Rack and Rails.

module Khufu
  class Session
    # Copies the session into a Hash in which everything may be changed. {#write_changes} writes what was changed.
    # @return [Hash{String => Object}]
    # @api private
    def thawed
      @thawed = each_json.to_h
      @thawed.transform_values { |json| Value.thawed(json) }
    end

    # Writes the differences between the Hash that {#thawed} returned and what has become of it. Keys that are the same
    # in both are left as they are in the session, so that the changes of other requests stay. As in Rack, a key whose
    # value was set to nil is removed.
    #
    # @param hash [Hash] a Hash that {#thawed} returned
    # @raise [JSONError, RangeError, EncodingError] if a value has no JSON form; the message names the key
    # @api private
    def write_changes(hash)
      pairs = pairs(hash).to_h.compact
      @thawed.each { |key, json| remove(key) unless pairs.key?(key) || json == "null" }
      pairs.each { |key, value| self[key] = value unless @thawed.key?(key) && Value.thawed(@thawed[key]).eql?(value) }
    end
  end
end
