// HttpURLConnection in streaming mode, as Spring's RestTemplate uses it: chunked
import java.net.*;
import java.nio.file.*;

class Connection {
  public static void main(String[] a) throws Exception {
    var asked = (HttpURLConnection) new URL(a[1]).openConnection();
    asked.setRequestMethod(a[0]);
    asked.setRequestProperty("key", a[2]);
    if (a.length > 3) {
      asked.setRequestProperty("Content-Type", "application/json");
      asked.setDoOutput(true);
      asked.setChunkedStreamingMode(0);
      try (var out = asked.getOutputStream()) { Files.copy(Path.of(a[3]), out); }
    }
    var status = asked.getResponseCode();
    var said = status < 400 ? asked.getInputStream() : asked.getErrorStream();
    System.out.print(status + "\n" + (said == null ? "" : new String(said.readAllBytes())));
  }
}
