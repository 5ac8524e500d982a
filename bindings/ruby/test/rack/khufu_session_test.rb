# frozen_string_literal: true

require_relative "helper"

# The session itself, in env["khufu.session"], beside Rack's Hash.
class RackKhufuSessionTest < RackTest
  def test_both_are_committed_together
    each_kind do |visitor|
      response = visitor.get do |session, env|
        session["rack"] = [1]
        env["khufu.session"]["khufu"] = 2
      end
      assert_equal 1, visitor.set_cookies(response).length
      assert_equal({ "rack" => [1], "khufu" => 2 }, visitor.contents)
      assert_equal [[1], 2], visitor.with_session { |_, env| env["khufu.session"].values_at("rack", "khufu") }
    end
  end

  def test_pyramids_flash_messages_and_csrf_token
    each_kind do |visitor|
      token = visitor.with_session { |_, env| env["khufu.session"].flash("Saved.").csrf_token }
      assert_equal({ "_f_" => ["Saved."], "_csrft_" => token }, visitor.contents)
      assert_equal [["Saved."], true], visitor.with_session { |session, env|
        session["other"] = 1
        [env["khufu.session"].pop_flash, env["khufu.session"].valid_csrf_token?(token)]
      }
      assert_equal({ "_csrft_" => token, "other" => 1 }, visitor.contents)
    end
  end

  def test_subjects
    sessions = factory(type: :store)
    visitor = Visitor.new({ factory: sessions })
    visitor.get { |session, env| (session["user"] = "ada") && (env["khufu.session"].subject = "user-1") }
    assert_equal 1, sessions.subject("user-1").revoke_all
    assert_empty visitor.contents
  end

  def test_what_was_read_before_the_end_of_the_session_is_not_written_again
    each_kind do |visitor|
      visitor.get { |session| session.update("a" => 1, "b" => [2]) }
      visitor.get do |session, env|
        session["b"].first
        env["khufu.session"].invalidate
        session["c"] = 3
      end
      assert_equal({ "c" => 3 }, visitor.contents)
    end
  end

  def test_a_value_that_is_set_again_after_the_end_belongs_to_the_new_session
    each_kind do |visitor|
      visitor.get { |session| session.update("locale" => "de", "user" => 1) }
      visitor.get { |session| session.destroy || session["locale"] = "de" }
      assert_equal({ "locale" => "de" }, visitor.contents)
    end
  end

  def test_transact_beside_the_middleware
    sessions = factory(type: :store)
    visitor = Visitor.new({ factory: sessions }, inside: [])
    visitor.get { |session| session["seen"] = [1] }
    visitor.get { |_, env| sessions.transact(env["HTTP_COOKIE"], {}) { |session| session.append("seen", 2) } }
    visitor.get do |session, env|
      session["own"] = session["seen"].length
      sessions.transact(env["HTTP_COOKIE"], {}) { |other| other.append("seen", 3) }
    end
    assert_equal({ "seen" => [1, 2, 3], "own" => 2 }, visitor.contents)
  end
end
