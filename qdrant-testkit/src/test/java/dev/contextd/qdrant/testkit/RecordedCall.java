package dev.contextd.qdrant.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.qdrant.client.grpc.CollectionsGrpc;
import io.qdrant.client.grpc.PointsGrpc;
import io.qdrant.client.grpc.QdrantGrpc;
import java.io.IOException;
import java.util.List;

/**
 * One line of the recording: a call, and what the real Qdrant answered.
 *
 * @param what what the call is about
 * @param method the method of the client's stub
 * @param request the message sent
 * @param code the code of the status
 * @param details the description of the status, empty if there was none
 * @param response the message received, without content if the call was refused
 */
record RecordedCall(
    String what,
    MethodDescriptor<Message, Message> method,
    Message request,
    Status.Code code,
    String details,
    Message response) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<ServiceDescriptor> SERVICES =
      List.of(
          QdrantGrpc.getServiceDescriptor(),
          CollectionsGrpc.getServiceDescriptor(),
          PointsGrpc.getServiceDescriptor());

  static RecordedCall parse(String line) throws IOException {
    JsonNode json = JSON.readTree(line);
    MethodDescriptor<Message, Message> method = method(json.path("method").asText());
    return new RecordedCall(
        json.path("what").asText(),
        method,
        message(method.getRequestMarshaller(), json.path("request")),
        Status.Code.valueOf(json.path("code").asText()),
        json.path("details").asText(),
        message(method.getResponseMarshaller(), json.path("response")));
  }

  /** All messages of these services are protobuf's; their stubs only know them by exact type. */
  @SuppressWarnings("unchecked")
  private static MethodDescriptor<Message, Message> method(String name) {
    return (MethodDescriptor<Message, Message>)
        SERVICES.stream()
            .flatMap(service -> service.getMethods().stream())
            .filter(method -> method.getFullMethodName().equals(name))
            .findFirst()
            .orElseThrow();
  }

  private static Message message(Marshaller<Message> marshaller, JsonNode json)
      throws InvalidProtocolBufferException {
    Message prototype = ((PrototypeMarshaller<Message>) marshaller).getMessagePrototype();
    Message.Builder builder = prototype.toBuilder();
    if (!json.isMissingNode()) {
      // Unknown fields are an error: nothing that was recorded shall go unread.
      JsonFormat.parser().merge(json.toString(), builder);
    }
    return builder.build();
  }
}
