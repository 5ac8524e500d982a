# frozen_string_literal: true

# First prints the default options of Rack::Session::Cookie. Then answers requests with the middlewares of a config.ru.
# Each line of the input has the file, the path and the Cookie header. Each line of the output has the page, and the
# cookies that change. An empty cookie is one that the response removes.

require "json"
require "rack"
require "rack/session/cookie"

APP = lambda do |env|
  session = env["rack.session"]
  case env["PATH_INFO"]
  when "/login" then session.update("user" => "ada", "since" => Time.now)
  when "/bob" then session["user"] = "bob"
  when "/logout" then session.destroy
  end
  [200, { "content-type" => "text/plain" }, [session["user"].to_s]]
end

SITES = Hash.new do |sites, file|
  site = Rack::Builder.new
  site.instance_eval(File.read(file), file)
  site.run(APP)
  sites[file] = site.to_app
end

def answer(file, path, cookie)
  response = Rack::MockRequest.new(SITES[file]).get(path, "HTTP_COOKIE" => cookie)
  changed = response.headers.to_h.transform_keys(&:downcase)["set-cookie"]
  changed = changed.to_s.split("\n") unless changed.is_a?(Array)
  [response.body, changed.to_h { |line| line.split(";").first.split("=", 2) }]
end

$stdout.sync = true
theirs = Rack::Session::Cookie.new(APP, secret: "x" * 64)
puts JSON.generate(theirs.default_options.merge(key: theirs.key, release: Rack.release))
$stdin.each_line { |line| puts JSON.generate(answer(*JSON.parse(line))) }
