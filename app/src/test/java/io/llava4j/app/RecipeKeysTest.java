package io.llava4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.llava4j.nano.pretrain.LanguageConfig;
import io.llava4j.nano.pretrain.TowerConfig;
import io.llava4j.train.data.mixture.MixtureRecipe;
import io.llava4j.train.recipe.TrainConfig;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every key of a recipe is read by some code: a key without effect would promise what does not happen. */
class RecipeKeysTest {
    private static JavaClasses all;

    @BeforeAll
    static void read() {
        all = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("io.llava4j");
    }

    @ParameterizedTest
    @ValueSource(classes = {TrainConfig.class, TowerConfig.class, LanguageConfig.class, MixtureRecipe.class})
    void everyKeyIsRead(Class<?> recipe) {
        List<String> unread = new ArrayList<>();
        for (Class<?> record : records(recipe)) {
            for (RecordComponent component : record.getRecordComponents()) {
                if (!isRead(record, component.getName())) {
                    unread.add(record.getName() + "." + component.getName());
                }
            }
        }
        assertThat(unread).as("keys that no code reads").isEmpty();
    }

    /** A record with a component that is read in its constructor only, which is a check and not a use. */
    record Unread(int checked) {
        Unread {
            if (checked < 0) {
                throw new IllegalArgumentException();
            }
        }
    }

    @Test
    void aKeyThatIsOnlyCheckedCountsAsUnread() {
        JavaClass unread = new ClassFileImporter().importClasses(Unread.class).get(Unread.class);
        assertThat(isRead(unread, "checked")).isFalse();
    }

    private static Set<Class<?>> records(Class<?> recipe) {
        Set<Class<?>> found = new LinkedHashSet<>();
        collect(recipe, found);
        return found;
    }

    private static void collect(Class<?> type, Set<Class<?>> found) {
        if (!type.isRecord() || !found.add(type)) {
            return;
        }
        for (RecordComponent component : type.getRecordComponents()) {
            collect(component.getType(), found);
            if (component.getGenericType() instanceof ParameterizedType generic) {
                collectArguments(generic, found);
            }
        }
    }

    private static void collectArguments(ParameterizedType generic, Set<Class<?>> found) {
        for (Type argument : generic.getActualTypeArguments()) {
            switch (argument) {
                case ParameterizedType nested -> collectArguments(nested, found);
                case Class<?> type -> collect(type, found);
                default -> throw new IllegalStateException(argument.getTypeName());
            }
        }
    }

    private static boolean isRead(Class<?> record, String component) {
        return isRead(all.get(record), component);
    }

    /** By a call from outside of its accessor, or of another method of the record that uses the component. */
    private static boolean isRead(JavaClass record, String component) {
        if (isCalledFromOutside(record, component)) {
            return true;
        }
        return record.getField(component).getAccessesToSelf().stream()
                .map(JavaAccess::getOrigin)
                .filter(user -> user instanceof JavaMethod && !user.getName().equals(component))
                .anyMatch(user -> isCalledFromOutside(record, user.getName()));
    }

    private static boolean isCalledFromOutside(JavaClass record, String method) {
        Set<JavaClass> owners = new LinkedHashSet<>(record.getAllRawInterfaces());
        owners.add(record);
        return owners.stream()
                .flatMap(owner -> owner.getMethods().stream())
                .filter(candidate -> candidate.getName().equals(method))
                .map(JavaCodeUnit.class::cast)
                .flatMap(candidate -> candidate.getAccessesToSelf().stream())
                .anyMatch(access -> !access.getOriginOwner().equals(record));
    }
}
