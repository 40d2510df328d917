// A receiver for messages from Lianban (联办) to start from. Needs Java 17 or newer and nothing else.
//
//     LIANBAN_SECRET=whsec_... java Receiver.java                   takes messages on port 8080
//     LIANBAN_SECRET=whsec_... java Receiver.java report STEP FILE  reports the outcome in FILE (JSON) of a step
//
// Every message becomes one file in the folder `inbox`, named by its step: your own system works through them. The file
// is written before the answer is given, and a message that comes again finds its file: nothing is lost, nothing doubled.

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Receiver {
    // While a secret is being changed there are two, the new one first: separate them by a blank.
    static final String[] SECRETS = System.getenv("LIANBAN_SECRET").trim().split("\\s+");
    static final Path INBOX = Path.of(System.getenv().getOrDefault("LIANBAN_INBOX", "inbox"));
    static final int PORT = Integer.parseInt(System.getenv().getOrDefault("LIANBAN_PORT", "8080"));
    static final int LARGEST = 8_000_000;
    static final long TOLERANCE = 300;

    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 3 && arguments[0].equals("report")) {
            report(arguments[1], Path.of(arguments[2]));
            return;
        }
        Files.createDirectories(INBOX);
        HttpServer server = HttpServer.create(new InetSocketAddress(PORT), 256);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", Receiver::serve);
        server.start();
    }

    static void serve(HttpExchange exchange) throws IOException {
        int status;
        try {
            status = exchange.getRequestMethod().equals("POST") ? take(exchange) : 405;
        } catch (IllegalArgumentException unreadable) {
            status = 400;
        } catch (Exception failure) {
            status = 500; // The message is not kept, so it is sent again.
        }
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    static int take(HttpExchange exchange) throws Exception {
        byte[] body = exchange.getRequestBody().readNBytes(LARGEST + 1);
        if (body.length > LARGEST) return 413;
        String id = header(exchange, "webhook-id");
        if (!verified(id, header(exchange, "webhook-timestamp"), header(exchange, "webhook-signature"), body)) return 401;
        Json json = new Json(new String(body, StandardCharsets.UTF_8));
        if (header(exchange, "content-type").startsWith("application/cloudevents-batch+json")) {
            for (Object event : list(json.whole())) keep(event);
        } else {
            Object event = json.whole();
            if (!id.equals(object(event).get("id"))) return 400;
            keep(event);
        }
        return 202; // Received. The outcome is reported when the work is done.
    }

    static String header(HttpExchange exchange, String name) {
        String value = exchange.getRequestHeaders().getFirst(name);
        return value == null ? "" : value;
    }

    /** Whether one of our keys signed these very bytes within the last five minutes. */
    static boolean verified(String id, String time, String signatures, byte[] body) throws Exception {
        if (id.isEmpty() || signatures.isEmpty() || !time.matches("[0-9]{1,11}")) return false;
        if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(time)) > TOLERANCE) return false;
        boolean fits = false;
        for (String secret : SECRETS) {
            byte[] wanted = sign(secret, id, time, body).getBytes(StandardCharsets.UTF_8);
            for (String signature : signatures.split(" ")) {
                fits |= MessageDigest.isEqual(wanted, signature.getBytes(StandardCharsets.UTF_8));
            }
        }
        return fits;
    }

    static String sign(String secret, String id, String time, byte[] body) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(Base64.getDecoder().decode(secret.replaceFirst("^whsec_", "")), "HmacSHA256"));
        mac.update((id + "." + time + ".").getBytes(StandardCharsets.UTF_8));
        return "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
    }

    /** Write one event into the inbox, once and for all. */
    static void keep(Object event) throws IOException {
        Map<String, Object> told = object(event);
        if (!(told.get("id") instanceof String step) || !step.matches("[0-9A-Za-z-]{1,80}")) {
            throw new IllegalArgumentException("no proper id");
        }
        if (object(told.get("data")).get("case") == null) return; // A test of the endpoint: there is nothing to do.
        Path draft = INBOX.resolve("." + UUID.randomUUID());
        try (FileChannel out = FileChannel.open(draft, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(((String) told.get(Json.TEXT)).getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) out.write(bytes);
            out.force(true);
        }
        try {
            Files.createLink(INBOX.resolve(step + ".json"), draft);
        } catch (FileAlreadyExistsException repeat) {
            // It came before: a repeat changes nothing.
        } finally {
            Files.delete(draft);
        }
    }

    /** Report an outcome, for example {"facts": {"labour_contract": true}, "authority": "..."}, signed as we are. */
    static void report(String step, Path file) throws Exception {
        Map<String, Object> event = object(new Json(Files.readString(INBOX.resolve(step + ".json"))).whole());
        String callback = (String) object(event.get("data")).get("callback");
        String outcome = Files.readString(file).trim();
        if (!outcome.startsWith("{")) throw new IllegalArgumentException("the outcome must be a JSON object");
        String body = "{\"outcomes\":[{\"step\":\"" + step + "\"," + outcome.substring(1) + "]}";
        String id = "outcome-" + UUID.randomUUID(), time = Long.toString(Instant.now().getEpochSecond());
        HttpRequest request = HttpRequest.newBuilder(URI.create(callback))
            .timeout(Duration.ofSeconds(30))
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", time)
            .header("webhook-signature", sign(SECRETS[0], id, time, body.getBytes(StandardCharsets.UTF_8)))
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.statusCode() + " " + answer.body());
        if (answer.statusCode() >= 300) System.exit(1);
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value) {
        if (value instanceof Map) return (Map<String, Object>) value;
        throw new IllegalArgumentException("must be an object");
    }

    @SuppressWarnings("unchecked")
    static List<Object> list(Object value) {
        if (value instanceof List) return (List<Object>) value;
        throw new IllegalArgumentException("must be an array");
    }

    /** As much of JSON as a receiver needs; an object also keeps its own text, under TEXT. Use your own library. */
    static final class Json {
        static final String TEXT = "\0text";
        private final String text;
        private int at = 0;

        Json(String text) {
            this.text = text;
        }

        Object whole() {
            Object value = value(0);
            if (next() != '\0') throw wrong();
            return value;
        }

        private Object value(int depth) {
            if (depth > 60) throw wrong();
            char first = next();
            if (first == '{') return object(depth);
            if (first == '[') return list(depth);
            if (first == '"') return string();
            int start = at;
            while (at < text.length() && "-+.0123456789eEtrufalsn".indexOf(text.charAt(at)) >= 0) at++;
            String word = text.substring(start, at);
            return switch (word) {
                case "null" -> null;
                case "true" -> true;
                case "false" -> false;
                default -> Double.valueOf(word);
            };
        }

        private Map<String, Object> object(int depth) {
            Map<String, Object> values = new TreeMap<>();
            int start = at++;
            while (next() != '}') {
                if (!values.isEmpty()) expect(',');
                if (next() != '"') throw wrong();
                String name = string();
                expect(':');
                values.put(name, value(depth + 1));
            }
            at++;
            values.put(TEXT, text.substring(start, at));
            return values;
        }

        private List<Object> list(int depth) {
            List<Object> values = new ArrayList<>();
            at++;
            while (next() != ']') {
                if (!values.isEmpty()) expect(',');
                values.add(value(depth + 1));
            }
            at++;
            return values;
        }

        private String string() {
            StringBuilder read = new StringBuilder();
            for (at++; at < text.length() && text.charAt(at) != '"'; at++) {
                char one = text.charAt(at);
                if (one == '\\' && ++at < text.length()) {
                    int known = "nrtbf".indexOf(text.charAt(at));
                    one = known >= 0 ? "\n\r\t\b\f".charAt(known) : text.charAt(at);
                    if (one == 'u') {
                        if (at + 5 > text.length()) throw wrong();
                        one = (char) Integer.parseInt(text.substring(at + 1, at + 5), 16);
                        at += 4;
                    }
                }
                read.append(one);
            }
            if (at++ >= text.length()) throw wrong();
            return read.toString();
        }

        private char next() {
            while (at < text.length() && Character.isWhitespace(text.charAt(at))) at++;
            return at < text.length() ? text.charAt(at) : '\0';
        }

        private void expect(char wanted) {
            if (next() != wanted) throw wrong();
            at++;
        }

        private IllegalArgumentException wrong() {
            return new IllegalArgumentException("not JSON at " + at);
        }
    }
}
