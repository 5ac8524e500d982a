# frozen_string_literal: true

require_relative "helper"

# Options in the text of an INI file.
class IniTest < SessionTest
  INI = <<~TEXT
    secret = outside

    [app:main]
    use = egg:shop
    # khufu.secret = commented
    khufu.secret = itsaseekreet
    khufu.timeout: 60
    khufu.previous_secret =
        first = a
        [second]
    khufu.accept.old.secret = older
    khufu.type =

    [server:main]
    khufu.secret = other
    khufu.type = store
  TEXT
  NATIVE = Khufu.const_get(:Native)

  def test_a_section_and_a_prefix
    factory = Khufu::Factory.from_ini(INI, section: "app:main", prefix: "khufu.")
    open = ->(secret, now = NOW) { factory.open(cookie("[#{RENEWED},#{CREATED},{}]", secret: secret), now: now).load_result }
    assert_equal %i[loaded expired], [open[SECRET], open[SECRET, NOW + 1]]
    assert_equal %i[loaded_previous_secret] * 2, [open["first = a"], open["[second]"]]
    assert_equal %i[loaded_other_format bad_signature], [open["older"], open["other"]]
  end

  def test_lines_before_the_first_section
    cookie = cookie("[#{RENEWED},#{CREATED},{}]", secret: "outside")
    assert_equal :loaded, Khufu::Factory.from_ini(INI).open(cookie, now: NOW).load_result
    assert_equal :loaded, Khufu::Factory.from_ini(INI, section: nil, prefix: nil).open(cookie, now: NOW).load_result
  end

  def test_keywords_replace_the_options_of_the_text
    factory = Khufu::Factory.from_ini(INI, section: :"app:main", prefix: "khufu.", timeout: nil, accept: { more: { secret: "more" } })
    assert_equal :loaded, factory.open(cookie("[1,1,{}]"), now: NOW).load_result
    assert_equal "more", factory.open(cookie("[1,1,{}]", secret: "more"), now: NOW).load_format
    stored = Khufu::Factory.from_ini(INI, section: "app:main", prefix: "khufu.", type: :store)
    assert_match(/\A\h{64}\z/, stored.open.mark_changed.tap(&:commit).id)
  end

  def test_a_store_lets_other_threads_run
    calls = lambda do |text, **options|
      Khufu::Factory.from_ini("secret = x\n#{text}", **options).instance_variable_get(:@calls).name.split("::").last
    end
    assert_equal "Waiting", calls["type = store"]
    assert_equal "Waiting", calls["type:\n\n# a comment\n  store\n"]
    assert_equal "Waiting", calls["", type: :store]
    assert_equal "Native", calls["type = store", type: :signed_cookie]
    assert_equal "Native", calls["accept.a.secret = y\naccept.a.type = signed_cookie\n[other]\ntype = store"]
    assert_equal "CallingBack", calls["", serializer: Struct.new(:loads, :dumps).new]
    assert_equal "Waiting", Khufu::Factory.from_ini(INI, section: "server:main", prefix: "khufu.").instance_variable_get(:@calls).name.split("::").last
  end

  def test_errors_name_the_line
    {
      "secret = x\ncolour = red" => /line 2: .*colour/, "secret = x\n\ntimeout = soon" => /line 3: .*timeout/, "[app" => /line 1/,
      "secret" => /line 1/
    }.each do |text, message|
      assert_match message, assert_raises(Khufu::OptionError) { Khufu::Factory.from_ini(text) }.message
    end
    error = assert_raises(Khufu::OptionError) { Khufu::Factory.from_ini(INI, section: "app:other") }
    assert_match(/app:other/, error.message)
    assert_raises(Khufu::OptionError) { Khufu::Factory.from_ini("") }
    refute_includes assert_raises(Khufu::OptionError) { Khufu::Factory.from_ini("secret_hex = zqxj") }.full_message, "zqxj"
  end

  def test_arguments_of_the_wrong_type
    [nil, 1, :text, ["secret = x"]].each { |text| assert_raises(Khufu::ArgumentError) { Khufu::Factory.from_ini(text) } }
    assert_raises(Khufu::EncodingError) { Khufu::Factory.from_ini("secret = \xff") }
    assert_raises(Khufu::ArgumentError) { Khufu::Factory.from_ini("secret = x", section: 1) }
    assert_raises(Khufu::ArgumentError) { Khufu::Factory.from_ini("secret = x", prefix: 1) }
    assert_raises(Khufu::OptionError) { Khufu::Factory.from_ini("secret = x", accept: 1) }
  end
end
