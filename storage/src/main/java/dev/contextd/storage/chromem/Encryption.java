package dev.contextd.storage.chromem;

import dev.contextd.storage.gob.FormatException;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * AES-256-GCM as chromem-go encrypts its exports: 12 bytes nonce, ciphertext, 16 bytes tag; the key
 * has {@value #KEY_BYTES} bytes.
 */
public final class Encryption {
  /** The length of a key, in bytes. */
  public static final int KEY_BYTES = 32;

  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;

  private Encryption() {}

  /**
   * Reads a file.
   *
   * @throws FormatException where the key is not the file's, or the file is damaged
   */
  public static byte[] decrypt(byte[] file, byte[] key) throws FormatException {
    if (file.length < NONCE_BYTES + TAG_BITS / Byte.SIZE) {
      throw new FormatException(
          "an encrypted export has at least 28 bytes, this file has " + file.length);
    }
    try {
      return cipher(Cipher.DECRYPT_MODE, key, file)
          .doFinal(file, NONCE_BYTES, file.length - NONCE_BYTES);
    } catch (AEADBadTagException e) {
      throw new FormatException("the key is not this file's, or the file is damaged", e);
    } catch (GeneralSecurityException e) {
      throw new FormatException("the file could not be decrypted: " + e.getMessage(), e);
    }
  }

  /** The bytes of a file, with a nonce of its own. */
  public static byte[] encrypt(byte[] plain, byte[] key, SecureRandom random) {
    byte[] file = new byte[NONCE_BYTES + plain.length + TAG_BITS / Byte.SIZE];
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    System.arraycopy(nonce, 0, file, 0, NONCE_BYTES);
    try {
      cipher(Cipher.ENCRYPT_MODE, key, nonce).doFinal(plain, 0, plain.length, file, NONCE_BYTES);
      return file;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has AES-GCM", e);
    }
  }

  private static Cipher cipher(int mode, byte[] key, byte[] nonce) throws GeneralSecurityException {
    if (key.length != KEY_BYTES) {
      throw new IllegalArgumentException(
          "an encryption key has " + KEY_BYTES + " bytes, this one " + key.length);
    }
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(
        mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(TAG_BITS, nonce, 0, NONCE_BYTES));
    return cipher;
  }
}
