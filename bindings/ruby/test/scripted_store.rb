# frozen_string_literal: true

require_relative "../../../examples/ruby/pstore_store"

# A store that records its calls, and first calls the Proc that a test has given for the method.
class ScriptedStore < PStoreStore
  attr_reader :calls, :before

  def initialize(path, **before)
    super(path)
    @before = before
    @calls = []
  end

  %i[load save touch remove list unlist members].each do |name|
    define_method(name) do |*arguments|
      @calls << [name, *arguments]
      @before[name]&.call
      super(*arguments)
    end
  end
end
