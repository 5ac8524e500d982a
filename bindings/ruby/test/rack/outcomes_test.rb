# frozen_string_literal: true

require_relative "helper"
require "tmpdir"
require_relative "../scripted_store"

# The table in README.md: what the application did, and what was sent and saved. If it is out of date, this test says
# so, and KHUFU_UPDATE=1 writes it again.
class RackOutcomesTest < RackTest
  README = File.expand_path("../../README.md", __dir__)
  TABLE = /^\| the application.*?(?=\n\n)/m
  HEAD = ["the application", "status", "cookie of a session in a cookie", "cookie of a session in a store",
          "cache-control", "a session in a store then holds"].freeze
  # What the application did: a name, or the code itself; and the options of the middleware.
  APPLICATION = [
    ["does not use the session", ""],
    ['session["a"]'],
    ['session["b"] = 2'],
    ['session["list"] << 2'],
    ['session.delete("a")'],
    ["session.clear"],
    ["session.destroy"],
    ['session.destroy; session["b"] = 2'],
    ['session["b"] = 2; session.options[:skip] = true'],
    ['session["b"] = 2; session.options[:defer] = true'],
    ['session["b"] = 2; session.options[:renew] = true'],
    ['session["b"] = 2; session.options[:drop] = true'],
    ["session.options[:expire_after] = 3600"],
    ['session["b"] = 2; raise "oops"'],
    ['session["b"] = 2; raise "oops"', { set_on_exception: false }],
    ['session.destroy; raise "oops"', { set_on_exception: false }],
    ['session["b"] = proc {}'],
    ['`session["b"] = 2`, and another request ends the session',
     'session["b"] = 2; other_request { |other| other.destroy }', { only: :store }],
    ['`session["b"] = 2`, and the store is down', 'session["b"] = 2; break_store', { only: :store }],
    ["`session.destroy`, and the store is down", "session.destroy; break_store", { only: :store }]
  ].freeze

  # One row: the application with a session in a cookie and in a store, and what it may do besides.
  class Row
    def initialize(name, *code, **options)
      @name = name
      @code = code.first || name
      @only = options.delete(:only)
      @options = options
    end

    def to_s
      cookie = (sent({}) unless @only)
      Dir.mktmpdir do |folder|
        @store = ScriptedStore.new(File.join(folder, "sessions"))
        store = sent({ store: @store })
        cells = [name, store[:status], cookie ? cookie[:cookie] : "-", store[:cookie], store[:cache], saved]
        "| #{cells.join(' | ')} |"
      end
    end

    private

    def name
      name = @code == @name ? "`#{@name}`" : @name
      @options.empty? ? name : "#{name}, with `#{@options.map { |option, value| "#{option}: #{value}" }.join(', ')}`"
    end

    def sent(options)
      @visitor = RackTest::Visitor.new({ **@options, **options }, inside: [])
      @visitor.get { |session| session.update("a" => 1, "list" => [1]) }
      @cookie = @visitor.cookie
      response_to(application)
    end

    def response_to(application)
      response = @visitor.get { |session| instance_exec(session, &application) }
      { status: response.status, cookie: cookies(response), cache: response["cache-control"] || "-" }
    rescue StandardError => error
      { status: "raises #{error.class}", cookie: "-", cache: "-" }
    end

    def application = eval("proc { |session| #{@code}; nil }", nil, __FILE__, __LINE__) # rubocop:disable Security/Eval

    def cookies(response)
      set_cookie = @visitor.set_cookies(response).first
      case set_cookie
      when nil then "-"
      when /\Asession=;/ then "cleared"
      else ["set", *set_cookie[/Max-Age=\d*/]].join(", ")
      end
    end

    # What the browser's cookie opens afterwards, in JSON.
    def saved
      @store.before.clear
      cookie = @visitor.cookie == "session=" ? @cookie : @visitor.cookie
      contents = @visitor.contents(cookie: cookie)
      contents.empty? ? "nothing" : "`#{JSON.generate(contents)}`"
    end

    def other_request(&handler) = @visitor.get(cookie: @cookie, &handler)

    def break_store
      %i[save remove].each { |method| @store.before[method] = -> { raise "down" } }
    end
  end

  def test_the_table
    rows = APPLICATION.map do |name, *rest|
      options = rest.last.is_a?(Hash) ? rest.pop : {}
      Row.new(name, *rest, **options).to_s
    end
    table = ["| #{HEAD.join(' | ')} |", "|#{'---|' * HEAD.length}", *rows].join("\n")
    text = File.read(README)
    File.write(README, text.sub(TABLE) { table }) if ENV["KHUFU_UPDATE"]
    assert_equal table, File.read(README)[TABLE]
  end
end
