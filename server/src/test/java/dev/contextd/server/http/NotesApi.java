package dev.contextd.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.contextd.testkit.StoreRoot;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A server over an empty store, and the collection that tests of the data API write to. */
abstract class NotesApi {
  static final String NOTES = "/api/v1/collections/notes";

  @RegisterExtension final StoreRoot root = new StoreRoot();
  RunningServer server;

  @BeforeEach
  void start() throws Exception {
    server = RunningServer.over(root.path());
  }

  @AfterEach
  void stop() {
    server.close();
  }

  void addThree() {
    String body =
        """
        {"documents":[
          {"id":"a","content":"first","embedding":[1,0],"metadata":{"n":"1"}},
          {"id":"b","content":"second","embedding":[0,2],"metadata":{"n":"2"}},
          {"id":"c","content":"third","embedding":[3,3]}]}\
        """;
    assertThat(server.post(NOTES + "/documents", body).status()).isEqualTo(201);
  }
}
