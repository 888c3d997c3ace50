package dev.contextd.qdrant;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Base64;

/**
 * A certificate for this machine that signs itself, made by Java's own tool.
 *
 * @param pem a file with it
 */
record SelfSigned(PrivateKey key, X509Certificate certificate, Path pem) {
  private static final String PASSWORD = "changeit";
  private static final int PEM_COLUMNS = 64;

  static SelfSigned make(Path folder, String name) throws Exception {
    Path store = folder.resolve(name + ".p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                name,
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost,ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD,
                "-keystore",
                store.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(keytool.waitFor()).as(said).isZero();
    KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
    X509Certificate certificate = (X509Certificate) keys.getCertificate(name);
    byte[] separator = {'\n'};
    String text =
        Base64.getMimeEncoder(PEM_COLUMNS, separator).encodeToString(certificate.getEncoded());
    Path pem = folder.resolve(name + ".pem");
    Files.writeString(
        pem, "-----BEGIN CERTIFICATE-----\n" + text + "\n-----END CERTIFICATE-----\n");
    return new SelfSigned((PrivateKey) keys.getKey(name, PASSWORD.toCharArray()), certificate, pem);
  }
}
