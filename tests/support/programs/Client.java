// java.net.http.HttpClient, which offers Upgrade: h2c, with a body of unknown length
import java.net.URI;
import java.net.http.*;
import java.nio.file.*;

class Client {
  public static void main(String[] a) throws Exception {
    var asked = HttpRequest.newBuilder(URI.create(a[1])).header("key", a[2]);
    var none = HttpRequest.BodyPublishers.noBody();
    if (a.length > 3) asked.header("Content-Type", "application/json");
    var body = a.length < 4 ? none : HttpRequest.BodyPublishers.ofInputStream(() -> {
      try { return Files.newInputStream(Path.of(a[3])); } catch (java.io.IOException e) { throw new RuntimeException(e); }
    });
    var answer = HttpClient.newHttpClient().send(asked.method(a[0], body).build(), HttpResponse.BodyHandlers.ofString());
    System.out.print(answer.statusCode() + "\n" + answer.body());
  }
}
